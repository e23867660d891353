// Orders from the server: identify, restart, change settings (wire.ts describes how an order is delivered and acknowledged). Keeps no
// order: one that has to wait is not acknowledged, and comes again with the next answer.
//
//   received ─ identify ─► the light blinks, the panel shows its name ────────────────────────► done
//       │                 └─ the app has neither ──────────────────────────────────────────────► refused
//       ├──── settings ─► settings-api.ts, which checks them as it checks the owner's ────────► done, refused
//       ├──── restart ──► an update is under way or on trial, results are untold, ordered just now ► (comes again)
//       │                 └─ its id to NVS ─► restart ─► received again, the id is known ─────────► done
//       └──── another ─────────────────────────────────────────────────────────────────────────► refused
//
// A server that keeps ordering restarts cannot stop a device from working: after an ordered one the next waits for 5 minutes. An order is known
// again by its id being the same, not by its being no higher: else one answer with the highest id there is would end all orders, and so would
// a server that was restored from a backup or set up anew. Orders come oldest first until they are reported, so only the last can come again.

import type { Effect } from "../effect.js";
import type { Booted, Raise, ReceivedOrder, Stamped } from "../event.js";
import { asJsonObject, type JsonObject, type JsonValue } from "../json.js";
import { intendedRestart } from "../trial/restart-cause.js";
import { MAX_ORDER_COUNT, MAX_ORDER_REASON_LENGTH, type OrderResult } from "../wire.js";

/** NVS key of the last order that restarted the device: the server's address, a blank, the order's id. */
const RESTART_ORDER_KEY = "order.restart";
/** Shortest time between two ordered restarts. */
export const RESTART_PAUSE_MS = 300_000;

export interface OrdersState {
  /** The last restart that was ordered, and by which server; id 0: none. */
  readonly restarted: { readonly server: string; readonly id: number };
  /** This boot is the result of it. */
  readonly isFresh: boolean;
  /** Something can be shown. */
  readonly canIdentify: boolean;
  /** How often it was asked to identify itself since the boot. */
  readonly identifyCount: number;
}

const NEVER = Object.freeze({ server: "", id: 0 });

export const initialOrders: OrdersState = Object.freeze({
  restarted: NEVER,
  isFresh: false,
  canIdentify: false,
  identifyCount: 0,
});

/** What an order depends on: the server it comes from, and whether an update is under way. */
export interface UpdateProgress {
  readonly server: string;
  readonly phase: string;
  readonly onTrial: boolean;
}

type Asked = readonly (Effect | Raise)[];
type Step = readonly [OrdersState, Asked];

/** @param update as the answer that brought the orders has left it */
export function ordersStep(state: OrdersState, event: Stamped, update: UpdateProgress): Step {
  switch (event.type) {
    case "booted":
      return [begin(event), []];
    case "saveFailed":
      return event.purpose === "order" ? notRestarted(state, event.message) : [state, []];
    case "ordersReceived":
      return carryOutAll(state, event.orders, event.at, update);
    default:
      return [state, []];
  }
}

const begin = (event: Booted): OrdersState => ({
  ...initialOrders,
  restarted: readRestarted(event.stored[RESTART_ORDER_KEY]),
  isFresh: intendedRestart(event) === "order",
  canIdentify: event.canIdentify === true,
});

function readRestarted(text: string | undefined): OrdersState["restarted"] {
  const [server = "", id, more] = (text ?? "").split(" ");
  const number = Number(id);
  return isOrderId(number) && more === undefined ? { server, id: number } : NEVER;
}

function carryOutAll(
  state: OrdersState,
  orders: readonly ReceivedOrder[],
  at: number,
  update: UpdateProgress,
): Step {
  let next = state;
  const asked: (Effect | Raise)[] = [];
  // other orders that come with a restart are reported first: they would be repeated after it
  const mayRestart = orders.every(({ kind }) => kind === "restart");
  for (const order of orders) {
    const [after, effects] = carryOut(next, order, at, update, mayRestart && order === orders[0]);
    next = after;
    asked.push(...effects);
  }
  return [next, asked];
}

function carryOut(
  state: OrdersState,
  { id, kind, settings }: ReceivedOrder,
  at: number,
  update: UpdateProgress,
  mayRestart: boolean,
): Step {
  switch (kind) {
    case "identify":
      return identify(state, id);
    case "restart":
      return restart(state, id, at, update, mayRestart);
    case "settings":
      return [
        state,
        [{ type: "raise", event: { type: "settingsPushed", id, settings: settings ?? new Map() } }],
      ];
    default:
      return [state, [refused(id, `this firmware does not support order "${kind}"`)]];
  }
}

function identify(state: OrdersState, id: number): Step {
  if (!state.canIdentify)
    return [state, [refused(id, "this device has no light and no panel to show it with")]];
  return [
    { ...state, identifyCount: state.identifyCount + 1 },
    [
      { type: "log", level: "info", message: "the server asked which device this is: showing it" },
      { type: "showStatus", status: { name: "identify", percent: 0 } },
      done(id),
    ],
  ];
}

function restart(
  state: OrdersState,
  id: number,
  at: number,
  { server, phase, onTrial }: UpdateProgress,
  mayRestart: boolean,
): Step {
  const { restarted } = state;
  if (restarted.server === server && id === restarted.id) return [state, [done(id)]];
  const mustWait = phase !== "idle" || onTrial || !mayRestart || (state.isFresh && at < RESTART_PAUSE_MS);
  if (mustWait) return [state, []];
  return [
    { ...state, restarted: { server, id } },
    [
      { type: "log", level: "info", message: `the server ordered a restart (order ${id})` },
      // before it: whatever happens from here on, it is not repeated
      {
        type: "save",
        purpose: "order",
        values: { [RESTART_ORDER_KEY]: `${server} ${id}` },
        next: [{ type: "restart", reason: "order" }],
      },
    ],
  ];
}

function notRestarted(state: OrdersState, why: string): Step {
  const reason = `the device does not restart: it could not store that it has, and would repeat it (${why})`;
  return [{ ...state, restarted: NEVER }, [refused(state.restarted.id, reason)]];
}

export const done = (id: number): Raise => finished({ id, result: "done" });

export const refused = (id: number, reason: string): Raise =>
  finished({ id, result: "refused", reason: reason.slice(0, MAX_ORDER_REASON_LENGTH) });

const finished = (result: OrderResult): Raise => ({
  type: "raise",
  event: { type: "orderFinished", result },
});

// ── reading

/** Longest name of an order's kind. */
const MAX_KIND_LENGTH = 32;

/** The orders in an answer. Those without an id could not be acknowledged and are left out, as are those beyond MAX_ORDER_COUNT. */
export function readOrders(value: JsonValue | undefined): readonly ReceivedOrder[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_ORDER_COUNT).flatMap((one: JsonValue) => readOrder(asJsonObject(one)) ?? []);
}

function readOrder(order: JsonObject | undefined): ReceivedOrder | undefined {
  const id = order?.get("id");
  const kind = order?.get("kind");
  const given = order?.get("settings");
  if (!isOrderId(id) || typeof kind !== "string" || kind.length > MAX_KIND_LENGTH) return undefined;
  if (given === undefined) return { id, kind };
  const settings = asJsonObject(given);
  return settings && { id, kind, settings };
}

const isOrderId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
