// `skyslot device identify`, `restart`, `settings`: orders that devices carry out with their next check, and their outcome.

import type { OrderView } from "../api/device-views.js";
import type { BulkChange } from "../shared/bulk-run.js";
import { readSettingValue, type SettingValue } from "../shared/setting-values.js";
import { type AddCommand, callServer, type ServerFlags } from "./client.js";
import { changeAll, readSelection, type SelectionFlags, withSelection } from "./device-selection.js";
import { bold, green, printLine, printRows, red, show, UsageError, yellow } from "./output.js";
import { toSecond } from "./times.js";

interface Given {
  readonly failed: number;
  readonly devices: readonly (Partial<OrderView> & {
    readonly device_id: string;
    readonly message?: string;
  })[];
}

/** @param add adds a command to the group `device` */
export function deviceOrderCommands(add: AddCommand): void {
  add("identify <id>", "make a device identify itself").action(identify);
  withSelection(add("restart [id...]", "restart devices")).action(
    (ids: readonly string[], flags: SelectionFlags) => orderAll("restart", ids, { kind: "restart" }, flags),
  );
  withSelection(
    add("settings <id|name=value...>", "change settings of devices, such as brightness=40 pattern=rainbow"),
  )
    .addHelpText(
      "after",
      "\nNames and values are those of the device's own pages, such as checkSeconds and deviceName; checkSeconds overrides the server's --poll-seconds, 0 resets it.\nIntegers are sent as numbers, everything else as text; 'deviceName=\"7\"' is text, too.",
    )
    .action(settings);
  add("orders <id>", "list the orders of a device, newest first").action(orders);
  add("withdraw <id> <order>", "withdraw an order that a device has not carried out yet").action(withdraw);
}

const path = (id: string, rest = ""): string => `/api/devices/${encodeURIComponent(id)}/orders${rest}`;

const identify = (id: string, flags: ServerFlags): Promise<void> =>
  show(flags, callServer<OrderView>(flags, `POST ${path(id)}`, { kind: "identify" }), describeGiven);

/** Words with a `=` are settings, all others devices. */
async function settings(words: readonly string[], flags: SelectionFlags): Promise<void> {
  const ids = words.filter((word) => !word.includes("="));
  const pairs = words.filter((word) => word.includes("=")).map(readPair);
  if (pairs.length === 0) throw new UsageError("no settings given, such as brightness=40");
  const order = { kind: "settings", settings: Object.fromEntries(pairs) } as const;
  await orderAll("change settings", ids, order, flags);
}

function readPair(word: string): readonly [string, SettingValue] {
  const at = word.indexOf("=");
  return [word.slice(0, at), readSettingValue(word.slice(at + 1))];
}

/** Exit status 1 if any device was refused. */
async function orderAll(
  what: string,
  ids: readonly string[],
  order: BulkChange,
  flags: SelectionFlags,
): Promise<void> {
  const selection = readSelection(ids, flags);
  if ("filter" in selection) return changeAll(what, selection.filter, order, flags);
  const body = { devices: ids, ...order };
  const view = await callServer<Given>(flags, "POST /api/devices/orders", body);
  if (view.failed > 0) process.exitCode = 1;
  await show(flags, view, ({ devices }) => {
    for (const one of devices)
      printLine(one.message ? `${one.device_id}: ${red(one.message)}` : describeGiven(one));
  });
}

const describeGiven = ({ device_id, id }: Partial<OrderView>): string =>
  `${device_id}: order ${id} waits for its next check`;

const orders = (id: string, flags: ServerFlags): Promise<void> =>
  show(flags, callServer<{ orders: readonly OrderView[] }>(flags, `GET ${path(id)}`), ({ orders }) => {
    if (orders.length === 0) return bold(`no orders for ${id}`);
    printRows(orders, {
      ORDER: "id",
      WHAT: ({ kind, settings }) =>
        [kind, ...Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}`)].join(" "),
      BY: "ordered_by",
      GIVEN: (one) => toSecond(one.created_at),
      STATE: paintState,
    });
  });

const withdraw = (id: string, order: string, flags: ServerFlags): Promise<void> =>
  show(
    flags,
    callServer(flags, `DELETE ${path(id, `/${orderNumber(order)}`)}`),
    () => `order ${order} of ${id} is withdrawn`,
  );

/** Order numbers begin with the seconds since 1970, so they are longer than others. */
function orderNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`"${text}" is not an order number: \`skyslot device orders\` lists them`);
  return Number(text);
}

function paintState({ state, reason, sent_at: sentAt }: OrderView): string {
  if (state === "done") return green(state);
  if (state === "refused") return red(`refused: ${reason ?? "no reason given"}`);
  if (state === "pending")
    return yellow(sentAt === null ? "waits for the device's next check" : "sent, not done yet");
  return state;
}
