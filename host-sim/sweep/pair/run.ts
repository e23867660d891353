// One update of a pair's system with what disturbs it, until both devices have settled; and then, if it is asked for, the next update, with
// nothing in its way. It is checked that:
//
//   - everything in checks.ts holds of both flashes, all the time
//   - both settle: the job has ended, both run for good what belongs together: both the new version, or both the old one
//   - both are reachable: each has its check answered by the update server (the transmitter through the receiver), the receiver's pages say that
//     the two understand each other, and that no job is left
//   - nothing stays reserved: the next system is installed on both (always where an image is still staged, because its device did not hear that
//     it was given up: it keeps it for a week)
//   - a system that works is installed if all that happened was one frame; one that does not work never is

import { PEER_KEY } from "../../../firmware/core/pair/peer.js";
import { HISTORY_KEY, hasFailed, readHistory } from "../../../firmware/core/system/history.js";
import { JOB_KEY } from "../../../firmware/core/system/job.js";
import { STAGED_KEY } from "../../../firmware/core/update/staged.js";
import { OTA_STATE } from "../../hardware/boot/otadata.js";
import { UnerasedWrite } from "../../hardware/flash/strict-writes.js";
import { isOtaSlot } from "../../hardware/partitions/partition-table.js";
import type { SweepRelease } from "../release.js";
import { disturb } from "./disturb.js";
import type { Ordeal } from "./faults.js";
import { type Flashes, PairHouse } from "./house.js";
import { APPS, type PairApp, type PairImages, type PairSystem } from "./images.js";

/** From the last fault on. A device that has lost its peer asks for it every half minute at least; a trial ends by itself after 2 minutes. */
const SETTLED_WITHIN_MS = 40 * 60_000;
const REACHABLE_WITHIN_MS = 5 * 60_000;
/** The owner has a look when nothing has happened for so long, and has the update server asked again, which the receiver does every hour. */
const LOOKS_AFTER_MS = 4 * 60_000;
const SECOND_MS = 1000;

export interface PairRunOptions {
  readonly images: PairImages;
  readonly start: Flashes;
  readonly ordeal: Ordeal;
  /** The next system follows. */
  readonly isFollowed: boolean;
  readonly onTrace?: ((line: string) => void) | undefined;
  /** Before anything happens in it. */
  readonly onHouse?: (house: PairHouse) => void;
}

export interface PairRun {
  /** The first check that failed; undefined: both devices survived. */
  readonly problem: string | undefined;
  /** What both ran in the end, before the next system. */
  readonly ending: "new" | "old" | undefined;
  /** The next system was published, too. */
  readonly isFollowed: boolean;
}

export async function runPair(options: PairRunOptions): Promise<PairRun> {
  const house = new PairHouse(options);
  options.onHouse?.(house);
  const judge = new Judge(house, options);
  let problem: string | undefined;
  try {
    problem = await judge.problem();
  } catch (error) {
    if (!(error instanceof UnerasedWrite)) throw error;
    problem = error.message;
  } finally {
    house.close();
  }
  return { problem, ending: judge.ending, isFollowed: judge.isFollowed };
}

class Judge {
  ending: "new" | "old" | undefined;
  isFollowed = false;
  readonly #house: PairHouse;
  readonly #options: PairRunOptions;

  constructor(house: PairHouse, options: PairRunOptions) {
    this.#house = house;
    this.#options = options;
  }

  /** Lives through it. */
  async problem(): Promise<string | undefined> {
    const house = this.#house;
    const { ordeal, images } = this.#options;
    const { system } = ordeal;
    house.server.system = system;
    const { overMs } = disturb(house, ordeal, images);
    for (const app of APPS) house.device(app).powerOn();
    const problem = (await this.#settle(system, overMs)) ?? (await this.#endedRight(system));
    if (problem !== undefined) return problem;
    this.isFollowed =
      this.#options.isFollowed || APPS.some((app) => house.stored(app, STAGED_KEY) !== undefined);
    if (!this.isFollowed) return undefined;
    house.note(`system ${images.later.version} is published`);
    house.server.system = images.later;
    await this.#ask();
    return (await this.#settle(images.later, 0)) ?? this.#isInstalled(images.later);
  }

  /** Until both have come to rest, and are reachable. */
  async #settle(system: PairSystem, overMs: number): Promise<string | undefined> {
    const house = this.#house;
    const { world } = house.desk;
    const startedMs = world.nowMs;
    const endMs = Math.max(startedMs, overMs) + SETTLED_WITHIN_MS;
    let lookedMs = world.nowMs;
    while (world.nowMs < endMs) {
      await world.runFor(SECOND_MS);
      const [problem] = house.problems;
      if (problem !== undefined) return problem;
      if (this.#hasOwnersMisfit()) await this.#takeBack();
      else if (world.nowMs >= overMs && this.#isAtRest(system)) return this.#becomeReachable();
      if (world.nowMs < Math.max(lookedMs, overMs) + LOOKS_AFTER_MS) continue;
      lookedMs = world.nowMs;
      await this.#ask();
    }
    return `not settled after ${SETTLED_WITHIN_MS / 60_000} minutes: ${this.#state()}`;
  }

  #isAtRest({ version }: PairSystem): boolean {
    const house = this.#house;
    const isJobOver =
      house.stored("receiver", JOB_KEY) === undefined &&
      this.#history().some((one) => one.version === version);
    return isJobOver && !house.isPushing && APPS.every((app) => this.#runsForGood(app));
  }

  /** What the owner has pushed to the receiver alone, after the job had ended: the device says so itself. */
  #hasOwnersMisfit(): boolean {
    const { version } = this.#options.images.misfit;
    const [last] = this.#history();
    return (
      this.#runsForGood("receiver") &&
      this.#running("receiver")?.version === version &&
      last?.version === version &&
      last.what === "receiver"
    );
  }

  /** What both run belongs together; each has its check answered, and the receiver's pages say that all is well. */
  async #becomeReachable(): Promise<string | undefined> {
    const house = this.#house;
    const { world } = house.desk;
    const restMs = world.nowMs;
    const [receiver, transmitter] = [this.#running("receiver"), this.#running("transmitter")];
    if (!receiver || receiver.version !== transmitter?.version)
      return `settled with receiver ${receiver?.version} and transmitter ${transmitter?.version}`;
    const hasChecked = (app: PairApp): boolean =>
      house.server.checks.some(
        ({ atMs, check }) =>
          atMs > restMs &&
          check.device_type === app &&
          check.image_sha256 === this.#running(app)?.payload.imageSha256,
      );
    let why = "";
    while (world.nowMs < restMs + REACHABLE_WITHIN_MS) {
      await world.runFor(SECOND_MS);
      if (house.problems.length > 0) return house.problems[0];
      const silent = APPS.find((app) => !hasChecked(app));
      why = silent === undefined ? ((await this.#pageProblem()) ?? "") : `the ${silent} does not check`;
      if (why === "") return undefined;
      if (silent === undefined) await world.runFor(10 * SECOND_MS);
    }
    return `not reachable ${REACHABLE_WITHIN_MS / 60_000} minutes after it had settled: ${why}; ${this.#state()}`;
  }

  async #pageProblem(): Promise<string | undefined> {
    const health = await this.#owner(() => this.#house.get("/api/health"));
    if (health === undefined) return "the receiver does not show its page";
    if (health.status !== "healthy") return `the receiver says ${JSON.stringify(health)}`;
    const system = await this.#owner(() => this.#house.get("/api/system"));
    return system && system.job === null ? undefined : `the page shows ${JSON.stringify(system)}`;
  }

  /** Whether what both run in the end is what they may run. */
  async #endedRight(system: PairSystem): Promise<string | undefined> {
    const { ordeal, images } = this.#options;
    const version = this.#running("receiver")?.version;
    const isNew = version === system.version;
    this.ending = isNew ? "new" : "old";
    if (!isNew && version !== images.factory.version) return `settled with ${version}`;
    const works = system === images.update;
    if (isNew && !works) return `system ${version} does not work, and stays`;
    if (isNew === hasFailed(this.#history(), system.version))
      return `system ${system.version} is said to have ${isNew ? "failed" : "been installed"}, and both run ${version}`;
    const isOneFrame = ordeal.faults.every(({ type }) => type === "frame");
    return !isNew && works && isOneFrame
      ? `system ${system.version} is not installed: ${this.#state()}`
      : undefined;
  }

  #isInstalled({ version }: PairSystem): string | undefined {
    return this.#running("receiver")?.version === version
      ? undefined
      : `the next system, ${version}, is not installed: ${this.#state()}`;
  }

  // ── what there is to see

  #history() {
    return readHistory(this.#house.stored("receiver", HISTORY_KEY));
  }

  #running(app: PairApp): SweepRelease | undefined {
    const { running } = this.#house.device(app);
    return running && this.#house.checks[app].releaseIn(running);
  }

  #runsForGood(app: PairApp): boolean {
    const { running } = this.#house.device(app);
    if (!running) return false;
    return !isOtaSlot(running) || this.#house.checks[app].stateOf(running) === OTA_STATE.VALID;
  }

  #state(): string {
    const devices = APPS.map((app) => {
      const { running } = this.#house.device(app);
      const kept = [JOB_KEY, STAGED_KEY, PEER_KEY].flatMap((key) => {
        const text = this.#house.stored(app, key);
        return text === undefined ? [] : [`${key} ${text}`];
      });
      const trial = this.#runsForGood(app) ? "" : " on trial";
      return `${app} ${this.#running(app)?.version ?? "off"} in ${running?.label ?? "nothing"}${trial} (${kept.join(", ")})`;
    });
    return `${devices.join(", ")}; ${JSON.stringify(this.#history())}`;
  }

  // ── the owner

  async #ask(): Promise<void> {
    await this.#owner(() => this.#house.post("/api/system/check"));
  }

  async #takeBack(): Promise<void> {
    this.#house.note("the owner takes back what was pushed");
    await this.#owner(() => this.#house.post("/api/rollback"));
  }

  /** Runs the world until the owner has an answer; undefined: none. */
  async #owner<Result>(request: () => Promise<Result>): Promise<Result | undefined> {
    let answer: { readonly result: Result | undefined } | undefined;
    request().then(
      (result) => {
        answer = { result };
      },
      () => {
        answer = { result: undefined };
      },
    );
    await this.#house.desk.world.runUntil(() => answer !== undefined, { limitMs: 120_000 });
    return answer?.result;
  }
}
