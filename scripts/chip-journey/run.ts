// Runs the steps of a journey, one after the other. A failed step does not end it; a device that no longer answers does.

import { type Journey, Skipped } from "./journey.js";
import type { Screen } from "./screen.js";
import {
  refusesLargeHeadsOnPort80AndStaysUp,
  refusesLargeHeadsOnPort3232AndStaysUp,
  staysUpWhen300ConnectionsAreReset,
  staysUpWith24ConnectionsAtOnce,
} from "./steps/limits.js";
import { keepsItsMemoryWhileItChecks } from "./steps/memory.js";
import {
  refusesAPushThatIsSignedByAnotherKey,
  refusesAPushWithoutItsToken,
  takesAPushAndValidatesIt,
} from "./steps/push.js";
import { forgetsEverythingAtAFactoryReset } from "./steps/reset.js";
import {
  rollsBackAnImageThatDiesWhileItLoads,
  rollsBackAnImageThatHangs,
  rollsBackAnImageThatThrows,
} from "./steps/roll-back.js";
import { installsAnImageThatFillsItsSlot, installsOneAndAHalfMegabytesAtFullSpeed } from "./steps/size.js";
import {
  changesItsSettingsForItsOwnerAlone,
  servesItsPagesToItsNetwork,
  startsAndReachesItsServer,
} from "./steps/start.js";
import {
  fetchesAnUpdateUntilItsPowerIsCut,
  passesItsTrialAndIsValidated,
  refusesAReleaseThatIsSignedByAnotherKey,
  resumesWhereItsPowerWasCut,
} from "./steps/update.js";
import type { Outcome } from "./table.js";

/** Returns what was observed, for people. @throws Skipped; any other error is a failure */
type Step = (journey: Journey) => Promise<string>;

/** The other steps depend on these. */
const FIRST_STEPS: readonly Step[] = [startsAndReachesItsServer, changesItsSettingsForItsOwnerAlone];

const STEPS: readonly Step[] = [
  startsAndReachesItsServer,
  servesItsPagesToItsNetwork,
  changesItsSettingsForItsOwnerAlone,
  refusesAPushWithoutItsToken,
  refusesAPushThatIsSignedByAnotherKey,
  refusesAReleaseThatIsSignedByAnotherKey,
  fetchesAnUpdateUntilItsPowerIsCut,
  resumesWhereItsPowerWasCut,
  passesItsTrialAndIsValidated,
  takesAPushAndValidatesIt,
  rollsBackAnImageThatThrows,
  rollsBackAnImageThatHangs,
  rollsBackAnImageThatDiesWhileItLoads,
  installsOneAndAHalfMegabytesAtFullSpeed,
  installsAnImageThatFillsItsSlot,
  refusesLargeHeadsOnPort80AndStaysUp,
  refusesLargeHeadsOnPort3232AndStaysUp,
  staysUpWith24ConnectionsAtOnce,
  staysUpWhen300ConnectionsAreReset,
  keepsItsMemoryWhileItChecks,
  forgetsEverythingAtAFactoryReset,
];

/** `startsAndReachesItsServer` is "starts and reaches its server". */
const sentenceOf = ({ name }: Step): string => name.replace(/[A-Z]|\d+/g, (part) => ` ${part.toLowerCase()}`);

/** @param only parts of the sentences of the steps to run besides the first ones; empty: all */
export async function walk(journey: Journey, screen: Screen, only: readonly string[]): Promise<Outcome[]> {
  const isWanted = (step: Step) =>
    only.length === 0 || FIRST_STEPS.includes(step) || only.some((part) => sentenceOf(step).includes(part));
  const outcomes: Outcome[] = [];
  let isGone = false;
  for (const step of STEPS.filter(isWanted)) {
    screen.begin(sentenceOf(step));
    const outcome = await take(isGone ? gone : step, sentenceOf(step), journey);
    outcomes.push(outcome);
    screen.end(outcome);
    if (outcome.result === "failed") isGone = !(await isBack(journey));
  }
  return outcomes;
}

const gone: Step = async () => {
  throw new Skipped("the device does not answer any more");
};

async function take(step: Step, name: string, journey: Journey): Promise<Outcome> {
  const startedAt = Date.now();
  const { memory } = journey.parts;
  memory.take();
  const ended = (result: Outcome["result"], detail: string): Outcome => ({
    step: name,
    result,
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
    ...memory.take(),
    detail,
  });
  try {
    return ended("passed", await step(journey));
  } catch (error) {
    const { message } = error as Error;
    return error instanceof Skipped ? ended("skipped", message) : ended("failed", message);
  }
}

/** After a failure: whether it answers, if necessary after a power cycle. */
async function isBack(journey: Journey): Promise<boolean> {
  const answers = () =>
    journey.answers().then(
      () => true,
      () => false,
    );
  if (await answers()) return true;
  const { power } = journey.parts;
  if (!power) return false;
  await power.off();
  await power.on();
  return answers();
}
