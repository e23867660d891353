// What each component of a system is to reach in the job's phase, whether it has, and what it is asked for if it has not. A goal is compared
// with what a component says last: nothing is concluded from what was asked before, because that may have been lost.
//
//   phase        member                          goal     asked for
//   staging      any                             ready    stage
//   committing   of a step that has its turn     new      commit, while the image is staged
//                of a later step                 ready    stage, if it has lost it
//   goingBack    any, but for those that had it  old      abandon while it is staged, roll back while it runs
//                of an undone job, while one of   –        nothing: what has started last goes back first
//                a later step is not back

import type { Job, Member } from "./job.js";
import type { ComponentReport, ComponentRequest } from "./vocabulary.js";

export type Goal = "ready" | "new" | "old" | "none";

function goalOf({ phase, step }: Job, member: Member): Goal {
  if (member.isLeft) return "none";
  if (phase === "goingBack") return member.had ? "none" : "old";
  return phase === "committing" && member.step <= step ? "new" : "ready";
}

/** Its new image runs, on trial or not. */
export const isStarted = ({ image }: Member, report: ComponentReport | undefined): boolean =>
  report?.image === image;

/** Its new image has passed its trial, and nothing else is wrong. */
export const isKept = (member: Member, report: ComponentReport | undefined): boolean =>
  isStarted(member, report) && !report?.isOnTrial && report?.problem === undefined;

/** Its new image is in its slot, or runs. */
export const isReady = (member: Member, report: ComponentReport | undefined): boolean =>
  isStarted(member, report) || report?.staged === member.image;

/** Its new image neither runs nor can start. */
const isOld = (member: Member, report: ComponentReport | undefined): boolean =>
  report !== undefined && !isReady(member, report);

export function isReached(job: Job, member: Member, report: ComponentReport | undefined): boolean {
  switch (goalOf(job, member)) {
    case "ready":
      return isReady(member, report);
    case "new":
      return isKept(member, report);
    case "old":
      return isOld(member, report);
    default:
      return true;
  }
}

/** What the member at this place is asked for next; `undefined`: nothing. */
export function requestOf(
  job: Job,
  at: number,
  reports: readonly (ComponentReport | undefined)[],
): ComponentRequest | undefined {
  const member = job.members[at];
  if (!member) return undefined;
  const { id, image, step } = member;
  const report = reports[at];
  if (isReached(job, member, report)) return undefined;
  const isLater = (other: Member, index: number) =>
    other.step > step && !isReached(job, other, reports[index]);
  if (job.isUndone && job.members.some(isLater)) return undefined;
  if (!report) return { type: "askComponent", id };
  switch (goalOf(job, member)) {
    case "ready":
      return { type: "stageComponent", id, image };
    case "new":
      return report.staged === image && !isStarted(member, report)
        ? { type: "commitComponent", id, image }
        : { type: "askComponent", id };
    default:
      return isStarted(member, report)
        ? { type: "rollBackComponent", id, image }
        : { type: "abandonComponent", id, image };
  }
}

/**
 * Why a component makes the job fail, by what it says; `undefined`: it does not. One that is to start its image and has it neither running nor
 * in its slot may just be restarting: the deadline decides.
 */
export function failureOf(job: Job, member: Member, report: ComponentReport | undefined): string | undefined {
  const goal = goalOf(job, member);
  if (!report || (goal !== "ready" && goal !== "new")) return undefined;
  if (goal === "new" && isStarted(member, report)) return report.problem;
  const { refused } = report;
  return refused?.image === member.image && !isReady(member, report) ? refused.reason : undefined;
}
