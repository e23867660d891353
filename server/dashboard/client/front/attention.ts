// What on this server waits for a person, as sentences with where to go. Pure; empty on a good day.

import type { FleetView } from "../../../api/fleet-views.js";
import type { PolicyView } from "../../../api/registration-views.js";
import type { TypeView, UpdateView } from "../../../api/release-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { plural } from "../format.js";

export interface Matter {
  readonly name: string;
  /** Where it is: a path, or a part of the first page (`#…`). */
  readonly to: string;
  /** Why it waits. */
  readonly why: string;
  /** `bad`: something went wrong. `waits`: for somebody's decision. */
  readonly tone: "bad" | "waits";
}

/** What has not been loaded is not mentioned. */
export interface Situation {
  readonly rollouts?: readonly RolloutView[] | undefined;
  readonly fleet?: FleetView | undefined;
  readonly types?: readonly TypeView[] | undefined;
  readonly registration?:
    | { readonly default: PolicyView; readonly policies: readonly PolicyView[] }
    | undefined;
  readonly updates: readonly UpdateView[];
  /** Milliseconds, by the server's clock. */
  readonly now: number;
}

const DAY_MS = 86_400_000;
/** Late devices are normal in a fleet as long as they are few. */
const MANY_LATE_FRACTION = 0.05;

/** What went wrong first. */
export function needsAttention({
  rollouts = [],
  fleet,
  types = [],
  registration,
  updates,
  now,
}: Situation): readonly Matter[] {
  const ended = rollouts.filter(({ state }) => state === "paused" || state === "awaiting_approval");
  return [
    ...ended.map(
      ({ id, name, state, reason }): Matter => ({
        name: `#${id} ${name}`,
        to: `/ota-management/rollouts/${id}`,
        why: state === "paused" ? `paused: ${reason}` : "waits for approval",
        tone: state === "paused" ? "bad" : "waits",
      }),
    ),
    ...failedIn(updates, now - DAY_MS),
    ...silentIn(fleet),
    ...trustIn(fleet),
    ...types.filter(({ kind, name }) => kind === "legacy" && isOpen(name, registration)).map(openType),
    ...(fleet && fleet.pending > 0
      ? [
          {
            name: plural(fleet.pending, "device"),
            to: "/devices?approval=pending",
            why: "to approve",
            tone: "waits",
          } as const,
        ]
      : []),
  ];
}

function failedIn(updates: readonly UpdateView[], since: number): readonly Matter[] {
  const failed = updates.filter(
    ({ outcome, finished_at, updated_at }) =>
      (outcome === "failed" || outcome === "rolled_back") && Date.parse(finished_at ?? updated_at) >= since,
  );
  if (failed.length === 0) return [];
  const rolledBackCount = failed.filter(({ outcome }) => outcome === "rolled_back").length;
  const why = rolledBackCount === 0 ? "failed" : `failed, ${rolledBackCount} of them rolled back`;
  return [
    { name: plural(failed.length, "update"), to: "#failures", why: `${why} in the last day`, tone: "bad" },
  ];
}

function silentIn(fleet: FleetView | undefined): readonly Matter[] {
  if (!fleet) return [];
  const { offline, late, total } = fleet;
  const matter = (count: number, status: string, why: string): Matter => ({
    name: plural(count, "device"),
    to: `/devices?status=${status}`,
    why,
    tone: "bad",
  });
  return [
    ...(offline > 0 ? [matter(offline, "offline", "not heard of for several checks")] : []),
    ...(late > MANY_LATE_FRACTION * total ? [matter(late, "late", "missed a check or two")] : []),
  ];
}

function trustIn(fleet: FleetView | undefined): readonly Matter[] {
  if (!fleet) return [];
  const root = (why: string): Matter => ({
    name: "Trust root",
    to: "/settings?part=trust",
    why,
    tone: "bad",
  });
  return [
    ...(fleet.root_expires_soon && fleet.root_expires_at !== null
      ? [root(`expires on ${fleet.root_expires_at.slice(0, 10)}: its holders have to sign the next one`)]
      : []),
    ...(fleet.freshness_unnamed
      ? [root("names freshness keys, of which this server has none: devices install nothing of it")]
      : []),
    ...(fleet.frozen > 0
      ? [
          {
            name: plural(fleet.frozen, "device"),
            to: "/devices?root=frozen",
            why: "frozen: nobody has shown them for two weeks what is new",
            tone: "bad",
          } as const,
        ]
      : []),
  ];
}

function isOpen(type: string, registration: Situation["registration"]): boolean {
  const policy = registration?.policies.find(({ device_type }) => device_type === type);
  return (policy ?? registration?.default)?.registration === "open";
}

const openType = ({ name }: TypeView): Matter => ({
  name: `Type ${name}`,
  to: "/settings?part=types",
  why: "takes unsigned firmware, and any device can register",
  tone: "waits",
});
