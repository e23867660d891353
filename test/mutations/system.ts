// Systems of several devices: what the leader decides, stores and asks for. The search of all states has to find each of these.

import type { Mutation } from "./mutation.js";

const SYSTEM = "firmware/core/system";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "devices are asked before the decision is stored",
    file: `${SYSTEM}/orchestrator.ts`,
    original:
      "const isSaving = ({ savingCount, isBehind }: SystemState): boolean => savingCount > 0 || isBehind;",
    mutated:
      "const isSaving = ({ savingCount, isBehind }: SystemState): boolean => savingCount > 9 || isBehind;",
  },
  {
    what: "a decision is told while it is stored",
    file: `${SYSTEM}/orchestrator.ts`,
    original: 'if (decision.type === "goesOn") return save(',
    mutated:
      'if (decision.type === "goesOn" && decision.job.phase === "committing") { const told = ask({ ...state, job: decision.job, asked: [] }, decision.job); const [next, effects] = save(told[0]); return [next, [...told[1], ...effects]]; } if (decision.type === "goesOn") return save(',
  },
  {
    what: "a failed store counts as one that has succeeded",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "isBehind: state.job !== undefined },",
    mutated: "isBehind: false },",
  },
  {
    what: "a device counts as kept while its image is on trial",
    file: `${SYSTEM}/goals.ts`,
    original: "isStarted(member, report) && !report?.isOnTrial && report?.problem === undefined",
    mutated: "isStarted(member, report) && report?.problem === undefined",
  },
  {
    what: "a device that is not heard counts as back",
    file: `${SYSTEM}/goals.ts`,
    original: "  report !== undefined && !isReady(member, report);",
    mutated: "  !isReady(member, report);",
  },
  {
    what: "a device that is still staged counts as back",
    file: `${SYSTEM}/goals.ts`,
    original: "  report !== undefined && !isReady(member, report);",
    mutated: "  report !== undefined && !isStarted(member, report);",
  },
  {
    what: "what has passed its trial is not taken back",
    file: `${SYSTEM}/goals.ts`,
    original: 'return member.had ? "none" : "old";',
    mutated: 'return member.step < step ? "none" : "old";',
  },
  {
    what: "what ran the new image before is taken back, too",
    file: `${SYSTEM}/goals.ts`,
    original: 'return member.had ? "none" : "old";',
    mutated: 'return member.had ? "old" : "old";',
  },
  {
    what: "all start at once",
    file: `${SYSTEM}/goals.ts`,
    original: 'phase === "committing" && member.step <= step ?',
    mutated: 'phase === "committing" && step >= 0 ?',
  },
  {
    what: "the first one starts before the last is ready",
    file: `${SYSTEM}/decide.ts`,
    original: "if (!isReady(member, reports[at])) unready.push(member);",
    mutated: "if (member.step === 0 && !isReady(member, reports[at])) unready.push(member);",
  },
  {
    what: "a system whose devices do not work together is done",
    file: `${SYSTEM}/decide.ts`,
    original: "(mustFit && report?.isMisfit === true)",
    mutated: "(mustFit && report === undefined)",
  },
  {
    what: "a job that goes back ends at its deadline, whoever has not been heard",
    file: `${SYSTEM}/decide.ts`,
    original: 'return step < 0 ? { what: "dropped", delayMs: DROP_MS } : undefined;',
    mutated: 'return { what: "dropped", delayMs: DROP_MS + step };',
  },
  {
    what: "one that fails is left out of a system that is all or none",
    file: `${SYSTEM}/decide.ts`,
    original: 'if (job.rule === "all") return',
    mutated: 'if (job.rule === "each") return',
  },
  {
    what: "a device that runs the new image late counts as one that had it",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "if (!member || job.step >= 0 || !isStarted(member, report)) return job;",
    mutated: "if (!member || !isStarted(member, report)) return job;",
  },
  {
    what: "nothing is asked a second time",
    file: `${SYSTEM}/orchestrator.ts`,
    original:
      'advance({ ...state, asked: state.asked.map(() => "") }, time);\n  return [next, [...effects, tick]];',
    mutated: "advance(state, time);\n  return [next, [...effects, tick]];",
  },
  {
    what: "the leader forgets its job when it restarts",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "const job = text === undefined ? undefined : readJob(text);",
    mutated: 'const job = text === undefined || text !== "" ? undefined : readJob(text);',
  },
  {
    what: "a deadline of one step runs on in the next",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "job: decision.job, awaited: UNSET });",
    mutated: "job: decision.job });",
  },
  {
    what: "which member had the new image is not kept",
    file: `${SYSTEM}/job.ts`,
    original: "(had ? HAD : 0) | (isLeft ? LEFT : 0)",
    mutated: "(had ? 0 : 0) | (isLeft ? LEFT : 0)",
  },
  {
    what: "a version that has failed once has failed for ever",
    file: `${SYSTEM}/history.ts`,
    original: 'history.find((entry) => isOfSystem(entry) && entry.version === version)?.result === "failed"',
    mutated:
      'history.some((entry) => isOfSystem(entry) && entry.version === version && entry.result === "failed")',
  },
  {
    what: "after a restart the leader installs anything in the middle of its job",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "if (!job) return before && raise",
    mutated: "if (!job || !before) return before && raise",
  },
  {
    what: "on the way back the leader installs the new image again",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "const images = isBack ? [] : ",
    mutated: "const images = ",
  },
  {
    what: "an uploaded image's version counts as one of the system",
    file: `${SYSTEM}/history.ts`,
    original: "const isOfSystem = ({ what }: HistoryEntry): boolean => what === undefined;",
    mutated: 'const isOfSystem = ({ what }: HistoryEntry): boolean => what !== "none";',
  },
  {
    what: "all go back at once when their owner undoes an update",
    file: `${SYSTEM}/goals.ts`,
    original: "if (job.isUndone && job.members.some(isLater)) return undefined;",
    mutated: "",
  },
  {
    what: "an update can be undone after another one has begun",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "ending: undefined, undoable: undefined });",
    mutated: "ending: undefined });",
  },
  {
    what: "what had its image before can be undone",
    file: `${SYSTEM}/undoable.ts`,
    original: "if (members.some(({ had, isLeft }) => had || isLeft)) return undefined;",
    mutated: "",
  },
  {
    what: "an undo is given up half way",
    file: `${SYSTEM}/orchestrator.ts`,
    original: "if (job.isUndone && !job.members.some((member, at) => isReached(job, member, reports[at]))) {",
    mutated: "if (job.isUndone) {",
  },
  {
    what: "devices may always misfit",
    file: `${SYSTEM}/decide.ts`,
    original: "const mustFit = next === undefined && !job.mayMisfit;",
    mutated: "const mustFit = next === undefined && job.mayMisfit === undefined && job.isUploaded === true;",
  },
  {
    what: "that a job is of uploaded images is forgotten with a restart",
    file: `${SYSTEM}/job.ts`,
    original: '...(value.get("isUploaded") === true ? { isUploaded: true as const } : {}),',
    mutated: "",
  },
  {
    what: "a release that the system does not name is offered",
    file: `${SYSTEM}/offers.ts`,
    original: "if (release.sha256 !== component.sha256)",
    mutated: "if (release.sha256 === undefined)",
  },
  {
    what: "an answer to another request is a release",
    file: `${SYSTEM}/offers.ts`,
    original: 'if (!("attempt" in event) || event.attempt !== state.attempt) return [state, []];',
    mutated: 'if (!("attempt" in event)) return [state, []];',
  },
  {
    what: "all devices of a system start in one step",
    file: `${SYSTEM}/offers.ts`,
    original: "components: offers.map(({ id, image }, step) => ({ id, image, step })),",
    mutated: "components: offers.map(({ id, image }) => ({ id, image, step: 0 })),",
  },
  {
    what: "a server that is silent is waited for",
    file: `${SYSTEM}/offers.ts`,
    original: 'return event.timer === "system.offers" ? failed(state, "the server is silent") : [state, []];',
    mutated: "return [state, []];",
  },
  {
    what: "a member that is to stage its image is not told to hold it",
    file: `${SYSTEM}/member.ts`,
    original: "...offer.answer, hold: true });",
    mutated: "...offer.answer });",
  },
  {
    what: "a member is offered the image of another one",
    file: `${SYSTEM}/member.ts`,
    original: "offers.find(({ id, image }) => id === request.id && image === request.image);",
    mutated: "offers.find(({ image }) => image === request.image);",
  },
  {
    what: "a leader counts its image as staged before the slot was proved again",
    file: `${SYSTEM}/member.ts`,
    original: '...(staged && phase !== "restoring" ?',
    mutated: "...(staged && phase !== undefined ?",
  },
  {
    what: "an image on trial is reported as kept",
    file: `${SYSTEM}/member.ts`,
    original: '...(body.get("slot_state") === "pending_verify" ? { isOnTrial: true } : {}),',
    mutated: "",
  },
  {
    what: "a system manifest counts before its signature is verified",
    file: `${SYSTEM}/poll.ts`,
    original: "afterSignature(verification, good)",
    mutated: "afterSignature(verification, true)",
  },
  {
    what: "an older system is installed",
    file: `${SYSTEM}/poll.ts`,
    original: "if (running && compareVersions(system.parsedVersion, running) <= 0)",
    mutated: "if (running && compareVersions(system.parsedVersion, running) === 0)",
  },
  {
    what: "the manifest of another system is taken",
    file: `${SYSTEM}/poll.ts`,
    original: "if (system.name !== settings.name)",
    mutated: "if (system.name === undefined)",
  },
  {
    what: "an unsigned link leads to another server",
    file: `${SYSTEM}/poll.ts`,
    original: "/^\\/(?!\\/)[!-~]*$/.test(value)",
    mutated: "/^[!-~]*$/.test(value)",
  },
  {
    what: "a window across midnight is never open",
    file: `${SYSTEM}/schedule.ts`,
    original: "const length = ((endMinute - startMinute) * 60 + DAY_SECONDS) % DAY_SECONDS;",
    mutated: "const length = (endMinute - startMinute) * 60;",
  },
  {
    what: "an update begins in its window though nobody knows the time",
    file: `${SYSTEM}/schedule.ts`,
    original: "if (time === undefined) return LONGEST_WAIT_MS;",
    mutated: "if (time === undefined) return 0;",
  },
  {
    what: "the time is not asked for again within an hour",
    file: `${SYSTEM}/schedule.ts`,
    original: "Math.min(seconds * 1000, LONGEST_WAIT_MS)",
    mutated: "seconds * 1000",
  },
];
