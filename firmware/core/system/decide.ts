// What the leader of a system decides from the last reports: the job's next phase or step, or its end; and what it waits for until then. Only
// what it returns is ever done, once it has been stored. Compares no times: what takes too long is told to it.

import { failureOf, isKept, isReached, isReady, isStarted } from "./goals.js";
import { backWith, type Job, type Member, shortened } from "./job.js";
import type { ComponentReport } from "./vocabulary.js";

/** By the place of their member in the job; `undefined`: not heard since the leader's boot. */
export type Reports = readonly (ComponentReport | undefined)[];

export interface Ending {
  readonly result: "finished" | "failed";
  readonly reason: string;
  /** Members that have been left out. */
  readonly without: readonly string[];
}

export type Decision =
  | { readonly type: "goesOn"; readonly job: Job }
  | { readonly type: "ends"; readonly ending: Ending };

/** What is waited for, in words, and for how long. */
export interface Awaited {
  readonly what: "ready" | "started" | "kept" | "fit" | "dropped";
  readonly delayMs: number;
}

/** The longest trial ends after 300 s, by itself; and a restart behind it. */
const TRIAL_MS = 330_000;
/** For what was staged to be dropped. Later it is dropped by its own time limit. */
const DROP_MS = 60_000;

/** What follows from the reports; `undefined`: more of them have to come. Without callbacks: a report is heard deep in XS's stack. */
export function decide(job: Job, reports: Reports): Decision | undefined {
  if (job.phase === "goingBack")
    return areAll(job, reports, (member, report) => isReached(job, member, report)) ? ended(job) : undefined;
  const failed: Member[] = [];
  let why = "";
  for (let at = 0; at < job.members.length; at++) {
    const member = job.members[at]!;
    const reason = failureOf(job, member, reports[at]);
    if (reason === undefined) continue;
    if (failed.length === 0) why = `${member.id}: ${reason}`;
    failed.push(member);
  }
  if (failed.length > 0) return failing(job, failed, why);
  if (missing(job, reports).length > 0) return undefined;
  const step = nextStep(job);
  return step === undefined ? ended(job) : { type: "goesOn", job: { ...job, phase: "committing", step } };
}

/** It has taken too long. */
export function decideLate(job: Job, reports: Reports): Decision | undefined {
  const awaited = awaitedOf(job, reports);
  if (!awaited) return undefined;
  if (awaited.what === "dropped") return ended(job);
  const late = missing(job, reports);
  if (late.length === 0) return undefined;
  const ids = late.map(({ id }) => id);
  const names = ids.length > 3 ? `${ids.slice(0, 3).join(", ")} and ${ids.length - 3} more` : ids.join(", ");
  return failing(job, late, `${names}: ${LATE[awaited.what]} within ${awaited.delayMs / 1000} s`);
}

const LATE = Object.freeze({
  ready: "the image was not staged",
  started: "no answer with the new image",
  kept: "the trial of the new image was not passed",
  fit: "it does not work together with the others",
});

/** What the job waits for now; `undefined`: whatever time that takes. */
export function awaitedOf(job: Job, reports: Reports): Awaited | undefined {
  const { phase, step, rebootDelaySeconds, healthTimeoutSeconds, stageTimeoutSeconds } = job;
  if (phase === "goingBack") return step < 0 ? { what: "dropped", delayMs: DROP_MS } : undefined;
  const ready = { what: "ready", delayMs: stageTimeoutSeconds * 1000 } as const;
  if (phase === "staging") return ready;
  const turn = withTurn(job);
  if (!areAll(job, reports, (member, report) => !turn(member) || isStarted(member, report)))
    return { what: "started", delayMs: (rebootDelaySeconds + healthTimeoutSeconds) * 1000 };
  if (!areAll(job, reports, (member, report) => !turn(member) || isKept(member, report)))
    return { what: "kept", delayMs: TRIAL_MS };
  return nextStep(job) === undefined ? { what: "fit", delayMs: healthTimeoutSeconds * 1000 } : ready;
}

/** Those that hold the job up. */
function missing(job: Job, reports: Reports): readonly Member[] {
  const { phase, members } = job;
  const next = nextStep(job);
  const open: Member[] = [];
  // those whose turn is next have to be ready still
  const unready: Member[] = [];
  for (let at = 0; at < members.length; at++) {
    const member = members[at]!;
    if (member.isLeft) continue;
    if (phase === "staging" || member.step === next) {
      if (!isReady(member, reports[at])) unready.push(member);
    } else if (member.step <= job.step && holdsUp(job, next, member, reports[at])) open.push(member);
  }
  return open.length > 0 ? open : unready;
}

/** One that has started: until it is kept, and until it fits where it is the last. */
function holdsUp(
  job: Job,
  next: number | undefined,
  member: Member,
  report: ComponentReport | undefined,
): boolean {
  const mustFit = next === undefined && !job.mayMisfit;
  return !isKept(member, report) || (mustFit && report?.isMisfit === true);
}

const withTurn =
  ({ step }: Job) =>
  (member: Member): boolean =>
    member.step <= step;

function areAll(
  { members }: Job,
  reports: Reports,
  holds: (member: Member, report: ComponentReport | undefined) => boolean,
): boolean {
  return members.every((member, at) => member.isLeft || holds(member, reports[at]));
}

/** The lowest step behind the one that has its turn; `undefined`: that is the last. */
function nextStep({ members, step }: Job): number | undefined {
  let next: number | undefined;
  for (const member of members)
    if (!member.isLeft && member.step > step && (next === undefined || member.step < next))
      next = member.step;
  return next;
}

function failing(job: Job, failed: readonly Member[], why: string): Decision {
  if (job.rule === "all") return { type: "goesOn", job: backWith(job, why) };
  const members = job.members.map((member) =>
    failed.includes(member) ? { ...member, isLeft: true as const } : member,
  );
  const next = { ...job, members, reason: job.reason === "" ? shortened(why) : job.reason };
  return members.every(({ isLeft }) => isLeft) ? ended(next) : { type: "goesOn", job: next };
}

function ended({ phase, members, reason }: Job): Decision {
  const without = members.flatMap(({ id, isLeft }) => (isLeft ? [id] : []));
  const hasFailed = phase === "goingBack" || without.length === members.length;
  return { type: "ends", ending: { result: hasFailed ? "failed" : "finished", reason, without } };
}
