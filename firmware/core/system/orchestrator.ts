// Leads a system: several devices that run the new version together, or the old one. The leader is one of them, and restarts in the middle
// of its own job. Pure: it knows the others by what they report, and asks them for something; it reaches nobody itself.
//
//                 all ready              each step: all started, all kept              the last step, and they fit
//   staging ─────────────────► committing ───────────────────────────────► (next step) ───────────────────────────► finished
//      │ refused, too late, cancelled  │ refused, silent, unwell, misfit, cancelled
//      └──────────────► goingBack ◄────┘
//                          └── none runs its new image, nor can start it ──► failed
//
// Why it ends with all or none, whatever is lost and whichever device restarts:
//
// 1. Nothing starts before everything is ready. Up to then the job has changed nothing that runs, and is given up without a trace.
// 2. A decision is stored before anyone is told of it: that members of a step are told to start, that all go back, that the job has ended. A
//    leader that restarts, with the new firmware or the old, reads it, asks all members what they are, and goes on from there.
// 3. It never counts on what it has asked for. Requests say what is to be, and are repeated until the reports say that it is; a job only ends
//    when a report of every member does. One that is off is waited for: until then it can be of the other version, because it may have
//    been told to start its image and have lost its power before it said so. Its owner can do without it (componentRemoved).
// 4. From committing there are two ways, finished and goingBack, and from goingBack only one: the two cannot alternate.
// 5. A member counts as kept when its image has passed its own trial, not when it answers: on trial, any restart would bring the old image
//    back after the job has ended. So it is validated before the whole is known to be well, and what the boot loader would do by itself
//    during a trial takes a request afterwards: the running slot is marked invalid and the other one starts (the effect rollBack), which
//    still holds the image before, because nothing is staged while a job lasts. What that needs of the new firmware (to be reached by the
//    leader) is just what its trial has shown. To validate last instead would need the same request, for the members that have been
//    validated when one fails, and would leave all of them exposed to a power cut for as long as the slowest takes. Where an eFuse counts
//    security versions (anti-rollback), a validated image of a higher one cannot be left: there the whole can only go forward.
//
// Where versions are mixed, between the first start and the end, the members can always be reached: version packets, the exchange and
// blocks have a form of their own that does not change with the app's protocol. Data waits until both fit (pair/compatibility.ts).
//
// Rule `each` is for nodes that do not depend on one another: a member that fails is left out, keeps what it has, and the others go on.

import type { Booted, Stamped } from "../event.js";
import { awaitedOf, type Decision, decide, decideLate, type Ending, type Reports } from "./decide.js";
import { isReached, isStarted, requestOf } from "./goals.js";
import { HISTORY_KEY, type History, readHistory, withEntry, writeHistory } from "./history.js";
import { backWith, begin, beginUndo, JOB_KEY, type Job, readJob, writeJob } from "./job.js";
import { readUndoable, UNDOABLE_KEY, type Undoable, undoableOf, writeUndoable } from "./undoable.js";
import type { ComponentReport, SystemEffect, SystemInput, SystemJob, SystemRaise } from "./vocabulary.js";

/** What has no answer is asked again: soon while something happens, less often while everything waits for somebody. */
const TICK_MS = Object.freeze({ staging: 15_000, committing: 5_000, goingBack: 15_000 });

export interface SystemState {
  readonly job: Job | undefined;
  /** Decided and not stored yet: how it ends. */
  readonly ending: Ending | undefined;
  readonly reports: Reports;
  /** What each member was asked for last, in the order of the job: the same is asked again with the next tick only. */
  readonly asked: readonly string[];
  /** What the deadline runs for. */
  readonly awaited: string;
  /** Stores that have not been answered: until they are, nothing is decided, and nobody is asked for anything. */
  readonly savingCount: number;
  /** The last store has failed. */
  readonly isBehind: boolean;
  readonly history: History;
  /** What was finished last, and is still all there. */
  readonly undoable: Undoable | undefined;
}

export const initialSystem: SystemState = Object.freeze({
  job: undefined,
  ending: undefined,
  reports: Object.freeze([]),
  asked: Object.freeze([]),
  awaited: "",
  savingCount: 0,
  isBehind: false,
  history: Object.freeze([]),
  undoable: undefined,
});

/** The timer may run for something else. */
const UNSET = "unset";

type Step = readonly [SystemState, readonly SystemEffect[]];

const NOTHING: readonly SystemEffect[] = Object.freeze([]);

/** While a job lasts, no member may install anything else: the slot that it would go to is the way back. */
export const isLeading = ({ job }: SystemState): boolean => job !== undefined;

/** @param time seconds since 1970, for the history; 0: not known */
export function systemStep(state: SystemState, event: Stamped<SystemInput>, time: number): Step {
  const [next, effects] = handle(state, event, time);
  // a boot comes with the state of before only in a test: the core that it is told to has forgotten all the same
  const before = event.type === "booted" ? undefined : state.job;
  const told = reservation(before, next.job);
  return [next, told ? [told, ...effects] : effects];
}

/** What the leader's own core has to know, when that changes: on the way back it installs none of the new images either. */
function reservation(before: Job | undefined, job: Job | undefined): SystemRaise | undefined {
  if (!job) return before && raise({ type: "installationsFreed" });
  const isBack = job.phase === "goingBack";
  if (before?.version === job.version && (before.phase === "goingBack") === isBack) return undefined;
  const images = isBack ? [] : [...new Set(job.members.map(({ image }) => image))];
  const reason = isBack
    ? `the system goes back from ${job.version}`
    : `the system is being updated to ${job.version}`;
  return raise({ type: "installationsHeld", reason, images });
}

function handle(state: SystemState, event: Stamped<SystemInput>, time: number): Step {
  switch (event.type) {
    case "booted":
      return resume(event, time);
    case "systemOffered":
      return offered(state, event.job);
    case "componentReported":
      return reported(state, event.id, event.report, time);
    case "systemCancelled":
      return cancelled(state, event.reason, time);
    case "systemReverted":
      return reverted(state, event);
    case "componentRemoved":
      return removed(state, event.id, time);
    case "timerFired":
      if (event.timer === "system.deadline") return deadlinePassed(state, time);
      return event.timer === "system.tick" ? ticked(state, time) : [state, NOTHING];
    case "saved":
      return event.purpose === "system" ? stored(state, time) : [state, NOTHING];
    case "saveFailed":
      return event.purpose === "system" ? notStored(state) : [state, NOTHING];
    default:
      return [state, NOTHING];
  }
}

/** After a boot nothing is known of the members, not even of the leader itself: all are asked. */
function resume({ stored }: Stamped<Booted>, time: number): Step {
  const known = { history: readHistory(stored[HISTORY_KEY]), undoable: readUndoable(stored[UNDOABLE_KEY]) };
  const text = stored[JOB_KEY];
  const job = text === undefined ? undefined : readJob(text);
  if (text === undefined) return [{ ...initialSystem, ...known }, NOTHING];
  if (job) return ticked({ ...withJob(initialSystem, job), ...known }, time);
  const message = "the job of the system that is stored cannot be read: it is forgotten";
  return [
    { ...initialSystem, ...known },
    [
      { type: "log", level: "error", message },
      { type: "save", purpose: "system", values: { [JOB_KEY]: undefined } },
    ],
  ];
}

const withJob = (state: SystemState, job: Job): SystemState => ({
  ...state,
  job,
  reports: job.members.map(() => undefined),
  asked: job.members.map(() => ""),
  awaited: UNSET,
});

function offered(state: SystemState, offer: SystemJob): Step {
  const job = state.job ? `${state.job.version} is not done yet` : begin(offer);
  if (typeof job === "string")
    return [state, [raise({ type: "systemRefused", version: offer.version, reason: job })]];
  // the slot of each is written to now
  return save({ ...withJob(state, job), ending: undefined, undoable: undefined });
}

/** What has been finished goes back. */
function reverted(
  state: SystemState,
  event: Extract<SystemInput, { readonly type: "systemReverted" }>,
): Step {
  const job = state.job ? `${state.job.version} is not done yet` : beginUndo(event, event.reason);
  if (typeof job === "string")
    return [state, [raise({ type: "systemRefused", version: event.version, reason: job })]];
  return save({ ...withJob(state, job), ending: undefined });
}

function reported(state: SystemState, id: string, report: ComponentReport, time: number): Step {
  const at = state.job?.members.findIndex((member) => member.id === id) ?? -1;
  if (!state.job || at < 0) return [state, NOTHING];
  const job = state.reports[at] ? state.job : firstHeard(state.job, at, report);
  const reports = state.reports.map((before, index) => (index === at ? report : before));
  return advance({ ...state, job, reports }, time);
}

/** One that runs the new image before anyone was told to start it has nothing to go back to. It is stored with the next decision. */
function firstHeard(job: Job, at: number, report: ComponentReport): Job {
  const member = job.members[at];
  if (!member || job.step >= 0 || !isStarted(member, report)) return job;
  const members = job.members.map((other, index) =>
    index === at ? { ...member, had: true as const } : other,
  );
  return { ...job, members };
}

/** Whatever has started goes back, and what has not is given up. What is undone stays as it is, as long as no member is known to be back. */
function cancelled(state: SystemState, reason: string, time: number): Step {
  const { job, ending, reports } = state;
  if (!job || ending) return [state, NOTHING];
  if (job.isUndone && !job.members.some((member, at) => isReached(job, member, reports[at]))) {
    const kept: Ending = {
      result: "finished",
      reason: `it was to go back, and stays: ${reason}`,
      without: [],
    };
    return conclude(state, { type: "ends", ending: kept }, time);
  }
  if (job.phase === "goingBack") return [state, NOTHING];
  return save({ ...state, job: backWith(job, `cancelled: ${reason}`), awaited: UNSET });
}

function removed(state: SystemState, id: string, time: number): Step {
  const { job, ending } = state;
  const at = job?.members.findIndex((member) => member.id === id) ?? -1;
  if (!job || ending || at < 0) return [state, NOTHING];
  const isOther = (_: unknown, index: number) => index !== at;
  const next = {
    ...state,
    job: { ...job, members: job.members.filter(isOther) },
    reports: state.reports.filter(isOther),
    asked: state.asked.filter(isOther),
  };
  const nobody: Ending = { result: "failed", reason: "all of its components were removed", without: [] };
  return next.job.members.length > 0 ? save(next) : conclude(next, { type: "ends", ending: nobody }, time);
}

function deadlinePassed(state: SystemState, time: number): Step {
  const { job, reports } = state;
  // while it is being stored, what is decided next will set the deadline again
  if (!job || isSaving(state)) return [{ ...state, awaited: UNSET }, NOTHING];
  const decision = decideLate(job, reports);
  return decision ? conclude(state, decision, time) : [state, NOTHING];
}

function ticked(state: SystemState, time: number): Step {
  if (!state.job) return [state, NOTHING];
  const tick = { type: "setTimer", timer: "system.tick", delayMs: TICK_MS[state.job.phase] } as const;
  if (state.isBehind && state.savingCount === 0) {
    const [next, effects] = save(state);
    return [next, [...effects, tick]];
  }
  const [next, effects] = advance({ ...state, asked: state.asked.map(() => "") }, time);
  return [next, [...effects, tick]];
}

const isSaving = ({ savingCount, isBehind }: SystemState): boolean => savingCount > 0 || isBehind;

/** Decides what can be decided, and asks for what is missing. */
function advance(state: SystemState, time: number): Step {
  const { job, reports } = state;
  if (!job || isSaving(state)) return [state, NOTHING];
  const decision = decide(job, reports);
  return decision ? conclude(state, decision, time) : ask(state, job);
}

function conclude(state: SystemState, decision: Decision, time: number): Step {
  if (decision.type === "goesOn") return save({ ...state, job: decision.job, awaited: UNSET });
  const { job, history } = state;
  const { ending } = decision;
  const what = job?.isUploaded ? componentsOf(job) : undefined;
  const entry = { version: job?.version ?? "", ...ending, time, ...(what === undefined ? {} : { what }) };
  const undoable = job && ending.result === "finished" ? stillUndoable(state, job, time) : undefined;
  return save({ ...state, ending, history: withEntry(history, entry), undoable });
}

/** One that was to be undone and was not has no more time than before. */
const stillUndoable = ({ undoable }: SystemState, job: Job, time: number): Undoable | undefined =>
  job.isUndone ? undoable : undoableOf(job, time);

function ask(state: SystemState, job: Job): Step {
  const effects: SystemEffect[] = [];
  const asked = job.members.map((_, at) => {
    const request = requestOf(job, at, state.reports);
    if (request && request.type !== state.asked[at]) effects.push(request);
    return request?.type ?? "";
  });
  // who has started last goes back first, so that the leader asks the others before it restarts
  if (job.phase === "goingBack") effects.reverse();
  const awaited = awaitedOf(job, state.reports);
  const what = awaited?.what ?? "";
  if (what !== state.awaited)
    effects.push(
      awaited
        ? { type: "setTimer", timer: "system.deadline", delayMs: awaited.delayMs }
        : { type: "clearTimer", timer: "system.deadline" },
    );
  return [{ ...state, asked, awaited: what }, effects];
}

/** The decision, before anyone is told of it. */
function save(state: SystemState): Step {
  const { job, ending, history, undoable } = state;
  const values = {
    [JOB_KEY]: ending ? undefined : job && writeJob(job),
    ...(ending ? { [HISTORY_KEY]: writeHistory(history) } : {}),
    ...(ending || (job?.phase === "staging" && job.step < 0)
      ? { [UNDOABLE_KEY]: undoable && writeUndoable(undoable) }
      : {}),
  };
  return [
    { ...state, savingCount: state.savingCount + 1, isBehind: false },
    [{ type: "save", purpose: "system", values }],
  ];
}

function stored(state: SystemState, time: number): Step {
  const next = { ...state, savingCount: Math.max(0, state.savingCount - 1) };
  const { job, ending } = next;
  if (isSaving(next) || !job) return [next, NOTHING];
  if (ending) return close(next, job, ending);
  const progressed = raise({ type: "systemProgressed", version: job.version, phase: job.phase });
  const tick = { type: "setTimer", timer: "system.tick", delayMs: TICK_MS[job.phase] } as const;
  const [after, effects] = advance({ ...next, asked: job.members.map(() => "") }, time);
  return [after, [progressed, ...effects, tick]];
}

/** The next tick tries again. What is stored is an earlier state of the job, which a restart would go on from. */
const notStored = (state: SystemState): Step => [
  { ...state, savingCount: Math.max(0, state.savingCount - 1), isBehind: state.job !== undefined },
  state.job ? [{ type: "setTimer", timer: "system.tick", delayMs: TICK_MS[state.job.phase] }] : NOTHING,
];

function close(
  { history, undoable }: SystemState,
  { version }: Job,
  { result, reason, without }: Ending,
): Step {
  return [
    { ...initialSystem, history, undoable },
    [
      { type: "clearTimer", timer: "system.tick" },
      { type: "clearTimer", timer: "system.deadline" },
      raise({ type: "systemProgressed", version }),
      raise(
        result === "finished"
          ? { type: "systemFinished", version, without }
          : { type: "systemFailed", version, reason },
      ),
    ],
  ];
}

const raise = (event: SystemRaise["event"]): SystemRaise => ({ type: "raise", event });

/** Which devices a job is of, in one word. */
const componentsOf = ({ members }: Job): string =>
  members.length === 2 ? "both" : members.length === 1 ? (members[0]?.id ?? "") : "all";
