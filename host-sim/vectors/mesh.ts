// Sessions of a painlessMesh update, measured on the library: a sender and a node talk, and what the node does is noted. Each is played
// twice: our node takes the sender's place at the other end, and our gateway that of the sender. Texts of messages have to be equal, in order, and come at
// their time; so do the steps of the update. What may differ stands below, with its reason.

import { createHash } from "node:crypto";
import type { Effect } from "../../firmware/core/effect.js";
import type { Event, Stamped } from "../../firmware/core/event.js";
import { type Distribution, newDistribution } from "../../firmware/core/mesh/distribution.js";
import {
  type MeshGatewayEvent,
  meshDistribute,
  meshGatewayStep,
  newMeshGateway,
} from "../../firmware/core/mesh/gateway.js";
import { newNeighbours } from "../../firmware/core/mesh/neighbours-state.js";
import { type MeshNodeEvent, meshNodeStep, newMeshNode } from "../../firmware/core/mesh/node.js";
import { MD5_KEY } from "../../firmware/core/mesh/receiver.js";
import type { Difference, FileReport } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

export const MESH = "mesh";

/** Jitter of the measurement, ms. */
const JITTER_MS = 60;

/** Of time sync only the kind of message is compared: the values are microseconds of two clocks when it was measured. */
const withoutTimes = (text: string): string => text.replace(/"t([012])":\d+/g, '"t$1":…');

const FAULTY = "the session's sender is made to err";
const NOT_STEPS: Readonly<Record<string, string>> = Object.freeze({
  closed: "the sender ends the session",
  restart: "the device restarts by its own rules: 1 s after the image is armed, not 2",
  log: "texts of the library",
});

/** What only a sender that errs does: ours sends other messages there. Numbers count the messages of one side, from 0. */
interface Faults {
  /** Ours that the session's sender keeps back. */
  readonly lost?: readonly number[];
  /** The session's that no honest sender sends. */
  readonly added?: readonly number[];
  /** The session's that come later than they should. */
  readonly late?: readonly number[];
  readonly reason: string;
}

/** By session: of the sender's messages. The first four are syncs and times. */
const SENDER_FAULTS: Readonly<Record<string, Faults>> = Object.freeze({
  "lost-part": { lost: [6], reason: `${FAULTY}: it answers no first request for part 2` },
  "broadcast-gap": { lost: [6], reason: `${FAULTY}: it leaves out part 2` },
  "duplicate-part": { added: [6], reason: `${FAULTY}: it sends part 1 twice` },
  "stray-parts": { added: [5, 6], late: [7], reason: `${FAULTY}: two wrong parts, and the right one late` },
});

/** By session: steps of the measured node that ours does not take. */
const NODE_EXTRAS: Readonly<Record<string, { readonly steps: readonly number[]; readonly reason: string }>> =
  Object.freeze({
    "broadcast-gap": {
      steps: [8],
      reason:
        "the library writes a part that comes after the last one, fails at it, and restarts in spite of it",
    },
  });

interface Head {
  readonly name: string;
  readonly receiver: {
    readonly node_id: number;
    readonly role: string;
    readonly hardware: string;
    readonly stored_md5: string | null;
  };
  readonly sender: { readonly node_id: number; readonly root: boolean };
  readonly part_size: number;
  readonly firmware: string;
  readonly firmware_md5: string;
  readonly announced_md5: string;
  readonly second_firmware?: string;
}

interface Line {
  readonly t: number;
  readonly dir: "sent" | "received" | "event";
  readonly message?: string;
  readonly event?: string;
  readonly detail?: string;
}

export interface MeshSession {
  readonly head: Head;
  readonly lines: readonly Line[];
}

/** Something that one side said or did, and when. */
interface Said {
  readonly t: number;
  readonly text: string;
}

/** The sessions of a folder, by name. */
export const meshSessionNames = (folder: VectorFolder): string[] =>
  folder
    .list(MESH)
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => file.slice(0, -".jsonl".length));

export function readMeshSession(folder: VectorFolder, name: string): MeshSession {
  const [head, ...lines] = folder.cases<Head & Line>(`${MESH}/${name}.jsonl`);
  if (!head) throw new Error(`${MESH}/${name}.jsonl is empty`);
  return { head, lines };
}

/** Two reports: of our node, and of our gateway. */
export function checkMeshSession(folder: VectorFolder, { head, lines }: MeshSession): FileReport[] {
  const { name } = head;
  const extras = NODE_EXTRAS[name];
  const said = (dir: Line["dir"]): Said[] =>
    lines.flatMap((line) => (line.dir === dir && line.message ? [{ t: line.t, text: line.message }] : []));
  const node = playNode(head, lines);
  const faults = SENDER_FAULTS[name];
  return [
    reportOf(
      `${MESH}/${name} as node`,
      [
        ...differences("message", node.said, said("received"), {}),
        ...differences("step", node.steps, stepsOf(lines), { added: extras?.steps ?? [] }),
      ],
      extras ? [{ at: "step", reason: extras.reason }] : [],
    ),
    reportOf(
      `${MESH}/${name} as gateway`,
      [...differences("message", playGateway(folder, head, lines), said("sent"), faults ?? {})],
      faults ? [{ at: "message", reason: faults.reason }] : [],
    ),
  ];
}

const stepsOf = (lines: readonly Line[]): Said[] =>
  lines.flatMap(({ t, event, detail = "" }) =>
    event === undefined || NOT_STEPS[event] !== undefined ? [] : [{ t, text: stepText(event, detail) }],
  );

/** Of the file that the library writes at the end, ours keeps the MD5. */
const stepText = (event: string, detail: string): string =>
  event === "ota-file-written"
    ? `${event} ${(JSON.parse(detail) as { readonly md5: string }).md5}`
    : `${event} ${detail}`.trimEnd();

function* differences(
  what: string,
  found: readonly Said[],
  expected: readonly Said[],
  { lost = [], added = [], late = [] }: Omit<Faults, "reason">,
): Generator<Difference | undefined> {
  const ours = found.filter((_, index) => !lost.includes(index));
  const theirs = expected
    .map((said, index) => ({ ...said, isLate: late.includes(index) }))
    .filter((_, index) => !added.includes(index));
  for (let index = 0; index < Math.max(ours.length, theirs.length); index += 1) {
    const [own, other] = [ours[index], theirs[index]];
    const isEqual =
      own !== undefined &&
      other !== undefined &&
      withoutTimes(own.text) === withoutTimes(other.text) &&
      (other.isLate || Math.abs(own.t - other.t) <= JITTER_MS);
    yield isEqual ? undefined : { at: `${what} ${index}`, found: own, expected: other };
  }
}

function reportOf(
  file: string,
  results: readonly (Difference | undefined)[],
  onPurpose: FileReport["onPurpose"],
): FileReport {
  const different = results.filter((result) => result !== undefined);
  const [first] = different;
  return {
    file,
    cases: results.length,
    equal: results.length - different.length,
    different: different.length,
    onPurpose,
    ...(first ? { first } : {}),
  };
}

/** Events in the order of their times; timers fire between them. */
class Clock {
  now = 0;
  readonly #timers = new Map<string, number>();

  set(timer: string, delayMs: number | undefined): void {
    if (delayMs === undefined) this.#timers.delete(timer);
    else this.#timers.set(timer, this.now + delayMs);
  }

  /** Runs until `t`. */
  advance(t: number, fired: (timer: string) => void): void {
    for (;;) {
      const [next] = [...this.#timers].filter(([, at]) => at <= t).sort(([, a], [, b]) => a - b);
      if (next === undefined) break;
      const [timer, at] = next;
      this.#timers.delete(timer);
      this.now = Math.max(this.now, at);
      fired(timer);
    }
    this.now = t;
  }
}

const bytesOfPart = ({
  text,
  part,
}: {
  readonly text: string;
  readonly part?: { readonly bytes: Uint8Array; readonly tail: string };
}) => (part === undefined ? text : text + Buffer.from(part.bytes).toString("base64") + part.tail);

/** Our node, with a stand-in for its update machine that keeps the bytes and compares the MD5 at the end, as where it was measured. */
function playNode(head: Head, lines: readonly Line[]): { said: Said[]; steps: Said[] } {
  const clock = new Clock();
  const { receiver } = head;
  const sink = new Sink((text) => steps.push({ t: clock.now, text }));
  const said: Said[] = [];
  const steps: Said[] = [];
  let mesh = newMeshNode("", receiver.stored_md5 ?? undefined);
  const neighbours = newNeighbours(receiver.node_id, { isRoot: false, keepsTime: true });
  mesh = { ...mesh, neighbours: { ...neighbours, clockUs: clockAtFirstTime(lines) } };
  const settings = { ...receiver, gateway: "", acceptsUnsigned: true, slotBytes: 0x100000 };

  const hear = (event: MeshNodeEvent): void => {
    const stamped = { ...event, at: clock.now, random: 0.5, freeHeapBytes: 0 } as Stamped<MeshNodeEvent>;
    const device = {
      device: sink,
      step: (_: Sink, heard: Stamped) => {
        sink.progress = mesh.receiver.reception;
        return [sink, sink.hear(heard)] as const;
      },
      settings: () => settings,
    };
    const [next, , effects] = meshNodeStep(mesh, device, stamped);
    mesh = next;
    for (const effect of effects) {
      if (effect.type === "sendMesh") said.push({ t: clock.now, text: bytesOfPart(effect) });
      else if (effect.type === "setTimer") clock.set(effect.timer, effect.delayMs);
      else if (effect.type === "clearTimer") clock.set(effect.timer, undefined);
      else if (effect.type === "store" && effect.key === MD5_KEY)
        steps.push({ t: clock.now, text: `ota-file-written ${effect.value}` });
      else if (effect.type === "decodeMesh")
        hear({ type: "meshDecoded", bytes: new Uint8Array(Buffer.from(effect.text, "base64")) });
    }
  };
  const fired = (timer: string): void => hear({ type: "timerFired", timer: timer as "mesh.request" });
  hear({ type: "meshConnected", neighbour: 1 });
  for (const { t, dir, message } of lines) {
    clock.advance(t, fired);
    if (dir === "sent" && message !== undefined) hear({ type: "meshReceived", neighbour: 1, text: message });
  }
  return { said, steps };
}

/** Such that the node's first question for the time has the value that was measured. */
function clockAtFirstTime(lines: readonly Line[]): number {
  for (const { t, dir, message = "" } of lines) {
    const t0 = dir === "received" ? /"type":1,"t0":(\d+)/.exec(message)?.[1] : undefined;
    if (t0 !== undefined) return (Number(t0) - t * 1000) >>> 0;
  }
  return 0;
}

class Sink {
  progress: { readonly part: number; readonly image: { readonly partCount: number } } | undefined;
  readonly #note: (step: string) => void;
  #connection = 0;
  #md5 = "";
  #bytes: Uint8Array[] = [];

  constructor(note: (step: string) => void) {
    this.#note = note;
  }

  hear(event: Event): readonly Effect[] {
    switch (event.type) {
      case "pushOffered":
        this.#connection = event.offer.connection;
        this.#md5 = event.offer.mesh?.md5 ?? "";
        this.#bytes = [];
        return [{ type: "continuePush", connection: this.#connection }];
      case "pushReadable": {
        const { part = 0, image } = this.progress ?? {};
        this.#note(`progress ${part} of ${image?.partCount}`);
        if (part === 0) this.#note("update-begin");
        return [{ type: "readPush", connection: this.#connection, maxBytes: event.count }];
      }
      case "pushData":
        this.#bytes.push(event.bytes.slice());
        return event.isLast ? this.#end() : [];
      default:
        return [];
    }
  }

  #end(): readonly Effect[] {
    const bytes = Buffer.concat(this.#bytes);
    const md5 = createHash("md5").update(bytes).digest("hex");
    const isRight = md5 === this.#md5;
    this.#note(
      `update-end ${bytes.length} bytes, md5 ${md5}, ${isRight ? "accepted" : "refused: MD5 mismatch"}`,
    );
    const response = { status: isRight ? 200 : 422, headers: {}, body: "" };
    return [{ type: "answerPush", connection: this.#connection, response }];
  }
}

/** Our gateway, with the image in its cache; each announcement of the session is a distribution that begins. */
function playGateway(folder: VectorFolder, head: Head, lines: readonly Line[]): Said[] {
  const clock = new Clock();
  const said: Said[] = [];
  const { node_id: nodeId, root: isRoot } = head.sender;
  let gateway = { ...newMeshGateway(""), neighbours: newNeighbours(nodeId, { isRoot, keepsTime: false }) };
  let cache: Uint8Array = new Uint8Array(0);

  const carryOut = ([next, effects]: ReturnType<typeof meshGatewayStep>): void => {
    gateway = next;
    for (const effect of effects) {
      if (effect.type === "setTimer") clock.set(effect.timer, effect.delayMs);
      if (effect.type === "clearTimer") clock.set(effect.timer, undefined);
      if (effect.type === "sendMesh") {
        said.push({ t: clock.now, text: bytesOfPart(effect) });
        hear({ type: "meshSent", neighbour: effect.neighbour });
      }
      if (effect.type === "readCache") {
        const { attempt, offset, length } = effect;
        hear({ type: "cacheRead", attempt, offset, bytes: cache.subarray(offset, offset + length) });
      }
    }
  };
  const hear = (event: MeshGatewayEvent): void =>
    carryOut(meshGatewayStep(gateway, { ...event, at: clock.now }));
  const fired = (timer: string): void => hear({ type: "timerFired", timer });

  clock.advance(lines[0]?.t ?? 0, fired);
  hear({ type: "meshConnected", neighbour: -1 });
  for (const { t, dir, message = "" } of announcementsFirst(lines)) {
    clock.advance(Math.max(t, clock.now), fired);
    if (dir === "received") hear({ type: "meshReceived", neighbour: -1, text: message });
    if (dir !== "sent" || !isAnnouncement(message)) continue;
    const announced = JSON.parse(message) as Announced;
    cache = folder.bytes(
      announced.md5 === head.announced_md5 || !head.second_firmware ? head.firmware : head.second_firmware,
    );
    carryOut(meshDistribute(gateway, distributionOf(announced, head.part_size, cache.length)));
  }
  return said;
}

interface Announced {
  readonly md5: string;
  readonly hardware: string;
  readonly role: string;
  readonly forced?: boolean;
  readonly broadcasted?: boolean;
  readonly compressed?: boolean;
}

function distributionOf(announced: Announced, partBytes: number, sizeBytes: number): Distribution {
  const { md5, hardware, role, forced = false, broadcasted = false, compressed = false } = announced;
  const image = { md5, hardware, role, isForced: forced, isBroadcast: broadcasted };
  const distribution = newDistribution({ image, sizeBytes, partBytes });
  // ours never compresses
  return { ...distribution, image: { ...distribution.image, isCompressed: compressed } };
}

const isAnnouncement = (message: string): boolean => message.includes('"type":10,');

/** A sender that announces another image instead of an answer had decided so before the question. */
function announcementsFirst(lines: readonly Line[]): Line[] {
  const ordered = [...lines];
  for (let index = 1; index < ordered.length; index += 1) {
    const [before, line] = [ordered[index - 1]!, ordered[index]!];
    const isInstead =
      line.dir === "sent" && isAnnouncement(line.message ?? "") && before.message?.includes('"type":11,');
    if (isInstead) ordered.splice(index - 1, 2, line, before);
  }
  return ordered;
}
