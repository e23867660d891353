// A system in the worst of worlds: the real orchestrator on the first of N devices, whose NVS is all that survives its restarts, and models of
// the devices. Requests and reports may be lost, repeated or late, in the air one of each per device; every trial may pass or fail; power may be
// cut at any device between any two things that happen, also between a decision and its store, and between its store and what follows.
// A state is a value: `actionsOf` gives everything that can happen in it, for a search or a seed to choose from.
//
// It is no kinder than the devices: a cut during a trial brings the old image back, or the trial again (update/outcome.ts arms it again once);
// a cut while a slot is armed leaves the old image with what was staged, or the new one on trial; what is committed late starts late.

import type { Stamped } from "../../../../firmware/core/event.js";
import type { StoredValues } from "../../../../firmware/core/stored.js";
import { HISTORY_KEY, readHistory } from "../../../../firmware/core/system/history.js";
import { JOB_KEY } from "../../../../firmware/core/system/job.js";
import {
  initialSystem,
  type SystemState,
  systemStep,
} from "../../../../firmware/core/system/orchestrator.js";
import type {
  ComponentReport,
  ComponentRequest,
  SystemInput,
  SystemJob,
} from "../../../../firmware/core/system/vocabulary.js";
import { BOOTED } from "../events.js";

const NEW = "e".repeat(64);
const OLD = "0".repeat(64);

export interface Device {
  readonly runs: "old" | "new";
  readonly isOnTrial: boolean;
  readonly isStaged: boolean;
  readonly hasRefused: boolean;
}

export interface World {
  readonly leader: SystemState;
  /** What the leader's NVS holds; the job and its history. */
  readonly stored: StoredValues;
  /** What the leader is storing: until that has happened, or its power is cut, it does nothing else. */
  readonly saving: Readonly<Record<string, string | undefined>> | undefined;
  readonly devices: readonly Device[];
  /** On their way to and from each device. */
  readonly requests: readonly (ComponentRequest | undefined)[];
  readonly reports: readonly (ComponentReport | undefined)[];
  /** A request to start that others overtake. */
  readonly late: readonly (ComponentRequest | undefined)[];
}

/** Of the whole run. */
export interface Nature {
  /** The devices do not work together once all run the new image. */
  readonly isMisfit: boolean;
}

const idOf = (index: number): string => (index === 0 ? "receiver" : `transmitter-${index}`);

export const jobOf = (count: number, change: Partial<SystemJob> = {}): SystemJob => ({
  version: "2.0.0",
  rule: "all",
  components: Array.from({ length: count }, (_, step) => ({ id: idOf(step), image: NEW, step })),
  rebootDelaySeconds: 2,
  healthTimeoutSeconds: 30,
  stageTimeoutSeconds: 3_600,
  ...change,
});

const FRESH: Device = { runs: "old", isOnTrial: false, isStaged: false, hasRefused: false };

const stamped = (event: SystemInput): Stamped<SystemInput> =>
  ({ ...event, at: 0, random: 0.5, freeHeapBytes: 100_000 }) as Stamped<SystemInput>;

/** @param ahead devices that run the new image before the job begins */
export function begin(job: SystemJob, nature: Nature, ahead: readonly number[] = []): World {
  const { length } = job.components;
  const world: World = {
    leader: initialSystem,
    stored: {},
    saving: undefined,
    devices: Array.from({ length }, (_, at) => (ahead.includes(at) ? { ...FRESH, runs: "new" } : FRESH)),
    requests: Array.from({ length }, () => undefined),
    reports: Array.from({ length }, () => undefined),
    late: Array.from({ length }, () => undefined),
  };
  return give(world, { type: "systemOffered", job }, nature);
}

/** What a device says of itself. */
function reportOf({ devices }: World, at: number, { isMisfit }: Nature): ComponentReport {
  const { runs, isOnTrial, isStaged, hasRefused } = devices[at]!;
  return {
    image: runs === "new" ? NEW : OLD,
    ...(isOnTrial ? { isOnTrial } : {}),
    ...(isStaged ? { staged: NEW } : {}),
    ...(hasRefused ? { refused: { image: NEW, reason: "its trial was not passed" } } : {}),
    ...(isMisfit && at === 0 && runs === "new" ? { isMisfit } : {}),
  };
}

/** Hands an event to the leader. What it asks of itself happens at once, and may restart it. */
function give(world: World, event: SystemInput, nature: Nature): World {
  const [leader, effects] = systemStep(world.leader, stamped(event), 0);
  let next: World = { ...world, leader };
  const own: ComponentRequest[] = [];
  for (const effect of effects) {
    if (effect.type === "save") next = { ...next, saving: effect.values };
    else if ("id" in effect) {
      const at = next.devices.findIndex((_, index) => idOf(index) === effect.id);
      if (at === 0) own.push(effect);
      else next = { ...next, requests: replaced(next.requests, at, effect) };
    }
  }
  for (const request of own) {
    const changed = carriedOut(next.devices[0]!, request);
    const isRestart = changed.runs !== next.devices[0]!.runs;
    next = { ...next, devices: replaced(next.devices, 0, changed) };
    if (isRestart) return boot(next, nature);
    next = give(next, { type: "componentReported", id: idOf(0), report: reportOf(next, 0, nature) }, nature);
  }
  return next;
}

/** The leader starts with what is stored, and knows what it is itself. */
function boot(world: World, nature: Nature): World {
  const fresh = { ...world, leader: initialSystem, saving: undefined };
  const started = give(fresh, { ...BOOTED, stored: world.stored }, nature);
  if (started.saving) return started;
  return give(
    started,
    { type: "componentReported", id: idOf(0), report: reportOf(started, 0, nature) },
    nature,
  );
}

/** A device and a request, of which each may come twice or late. */
function carriedOut(device: Device, { type }: ComponentRequest): Device {
  const { runs, isStaged } = device;
  switch (type) {
    case "stageComponent":
      return runs === "old" ? { ...device, isStaged: true, hasRefused: false } : device;
    case "commitComponent":
      return isStaged ? { ...FRESH, runs: "new", isOnTrial: true } : device;
    case "abandonComponent":
      return { ...device, isStaged: false };
    case "rollBackComponent":
      return runs === "new" ? FRESH : device;
    default:
      return device;
  }
}

const FAILED: Device = { ...FRESH, hasRefused: true };

export interface Action {
  readonly name: string;
  readonly happen: () => World;
}

/** Everything that can happen next. */
export function actionsOf(world: World, nature: Nature): readonly Action[] {
  const actions: Action[] = [];
  const can = (name: string, happen: () => World) => actions.push({ name, happen });
  if (world.saving) {
    can("the decision is stored", () => storedNow(world, nature));
    can("the store fails", () =>
      give(
        { ...world, saving: undefined },
        { type: "saveFailed", purpose: "system", message: "full" },
        nature,
      ),
    );
    for (const after of [false, true])
      for (const [name, device] of cuts(world.devices[0]!))
        can(`the leader's power is cut ${after ? "behind" : "before"} the store, ${name}`, () => {
          const stored = after ? merged(world) : world.stored;
          return boot({ ...world, stored, devices: replaced(world.devices, 0, device) }, nature);
        });
    return actions;
  }
  for (const [name, device] of cuts(world.devices[0]!))
    can(`the leader's power is cut, ${name}`, () =>
      boot({ ...world, devices: replaced(world.devices, 0, device) }, nature),
    );
  if (world.leader.job) {
    can("a tick", () => give(world, { type: "timerFired", timer: "system.tick" }, nature));
    can("the owner cancels", () => give(world, { type: "systemCancelled", reason: "by its owner" }, nature));
  }
  if (world.leader.awaited !== "")
    can("the deadline passes", () => give(world, { type: "timerFired", timer: "system.deadline" }, nature));
  for (let at = 0; at < world.devices.length; at++) actionsOfDevice(world, at, nature, can);
  return actions;
}

function actionsOfDevice(
  world: World,
  at: number,
  nature: Nature,
  can: (name: string, happen: () => World) => void,
): void {
  const device = world.devices[at]!;
  const id = idOf(at);
  const becomes = (next: Device): World => {
    const changed = { ...world, devices: replaced(world.devices, at, next) };
    if (at > 0) return changed;
    if (next.runs !== device.runs) return boot(changed, nature);
    return give(changed, { type: "componentReported", id, report: reportOf(changed, 0, nature) }, nature);
  };
  if (device.isOnTrial) {
    can(`${id} passes its trial`, () => becomes({ ...device, isOnTrial: false }));
    can(`${id} fails its trial`, () => becomes(FAILED));
  }
  if (at === 0) return;
  for (const [name, next] of cuts(device))
    if (next !== device) can(`${id}'s power is cut, ${name}`, () => becomes(next));
  const request = world.requests[at];
  if (request) {
    const without = { ...world, requests: replaced(world.requests, at, undefined) };
    can(`${request.type} to ${id} is lost`, () => without);
    can(`${id} hears ${request.type}`, () => answered(without, at, carriedOut(device, request), nature));
    can(`${id} hears ${request.type}, which comes again`, () =>
      answered(world, at, carriedOut(device, request), nature),
    );
    if (request.type === "commitComponent" && !world.late[at])
      can(`${request.type} to ${id} is late`, () => ({
        ...without,
        late: replaced(world.late, at, request),
      }));
    if (request.type === "stageComponent")
      can(`${id} refuses its image`, () => answered(without, at, FAILED, nature));
  }
  const late = world.late[at];
  if (late) {
    const without = { ...world, late: replaced(world.late, at, undefined) };
    can(`${late.type}, late to ${id}, is lost`, () => without);
    can(`${id} hears ${late.type} at last`, () => answered(without, at, carriedOut(device, late), nature));
  }
  const report = world.reports[at];
  if (report) {
    const without = { ...world, reports: replaced(world.reports, at, undefined) };
    can(`the report of ${id} is lost`, () => without);
    can(`the report of ${id} is heard`, () =>
      give(without, { type: "componentReported", id, report }, nature),
    );
  }
}

/** The device is what the request has made of it, and says so. */
function answered(world: World, at: number, device: Device, nature: Nature): World {
  const next = { ...world, devices: replaced(world.devices, at, device) };
  return { ...next, reports: replaced(next.reports, at, reportOf(next, at, nature)) };
}

function storedNow(world: World, nature: Nature): World {
  const next = { ...world, stored: merged(world), saving: undefined };
  return give(next, { type: "saved", purpose: "system" }, nature);
}

/** XS has no `with`. */
const replaced = <Item>(list: readonly Item[], at: number, item: Item): readonly Item[] =>
  list.map((kept, index) => (index === at ? item : kept));

function merged({ stored, saving = {} }: World): StoredValues {
  const values: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...stored, ...saving }))
    if (value !== undefined) values[key] = value;
  return values;
}

/** What a power cut may leave of a device. */
function cuts(device: Device): readonly (readonly [string, Device])[] {
  if (!device.isOnTrial) return [["nothing is lost", device]];
  return [
    ["its trial begins again", device],
    ["the old image is back", FAILED],
  ];
}

/** The job has ended, as the leader and its flash say. */
export const hasEnded = ({ leader, stored, saving }: World): boolean =>
  leader.job === undefined && saving === undefined && stored[JOB_KEY] === undefined;

/** How the last job has ended, as its history says. */
export const verdictOf = ({ stored }: World): string | undefined =>
  readHistory(stored[HISTORY_KEY])[0]?.result;

/** All devices run the new image for good, or each what it had. */
export const isConsistent = ({ devices }: World, ahead: readonly number[] = []): boolean =>
  devices.every(({ runs, isOnTrial }) => runs === "new" && !isOnTrial) ||
  devices.every(({ runs }, at) => (runs === "new") === ahead.includes(at));

/** A text that is the same for the same world. */
export const keyOf = (world: World): string => JSON.stringify(world);

/** One thing that happens by itself when there are no more faults; `undefined`: nothing. */
function calm(world: World, bad: readonly number[], nature: Nature): World | undefined {
  if (world.saving) return storedNow(world, nature);
  for (let at = 0; at < world.devices.length; at++) {
    const device = world.devices[at]!;
    if (!device.isOnTrial) continue;
    const name = `${idOf(at)} ${bad.includes(at) ? "fails" : "passes"} its trial`;
    return actionsOf(world, nature)
      .find((action) => action.name === name)
      ?.happen();
  }
  for (let at = 1; at < world.devices.length; at++) {
    const id = idOf(at);
    const request = world.requests[at];
    if (request)
      return answered(
        { ...world, requests: replaced(world.requests, at, undefined) },
        at,
        carriedOut(world.devices[at]!, request),
        nature,
      );
    const report = world.reports[at];
    if (report)
      return give(
        { ...world, reports: replaced(world.reports, at, undefined) },
        { type: "componentReported", id, report },
        nature,
      );
  }
  return undefined;
}

/** What happens next without faults: what is on its way arrives; then a tick, and if that changes nothing, the deadline. */
function calmly(world: World, bad: readonly number[], nature: Nature): World {
  const quiet = becalmed(world, bad, nature);
  if (hasEnded(quiet) || keyOf(quiet) !== keyOf(world)) return quiet;
  const ticked = becalmed(give(world, { type: "timerFired", timer: "system.tick" }, nature), bad, nature);
  if (keyOf(ticked) !== keyOf(world) || world.leader.awaited === "") return ticked;
  return becalmed(give(world, { type: "timerFired", timer: "system.deadline" }, nature), bad, nature);
}

function becalmed(start: World, bad: readonly number[], nature: Nature): World {
  let world = start;
  for (let next = calm(world, bad, nature); next; next = calm(world, bad, nature)) world = next;
  return world;
}

/**
 * How it ends from here without more faults, when the trials of these devices fail. What was found is kept in `known` for all worlds on the
 * way.
 */
export function fate(
  start: World,
  bad: readonly number[],
  nature: Nature,
  known = new Map<string, World>(),
): World {
  const path: string[] = [];
  let world = start;
  for (let count = 0; count < 100; count++) {
    const key = keyOf(world);
    const end = hasEnded(world) ? world : known.get(key);
    if (end) {
      for (const passed of path) known.set(passed, end);
      return end;
    }
    path.push(key);
    world = calmly(world, bad, nature);
  }
  throw new Error(`it does not end:\n${keyOf(world)}`);
}
