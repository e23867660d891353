// What a build is configured with, checked as it is read: a value that cannot be used would fail at every boot, and no update could mend it.
// mcconfig passes values of its command line on as texts.

import type { BuildSettings, Problem } from "../event.js";
import { readServerAddress } from "./server-address.js";

const DEFAULTS = Object.freeze({ checkSeconds: 120, trialSeconds: 30, trialDeadlineSeconds: 120 });
type Duration = keyof typeof DEFAULTS;

const LEAST_SECONDS: Readonly<Record<Duration, number>> = Object.freeze({
  checkSeconds: 10,
  trialSeconds: 1,
  trialDeadlineSeconds: 10,
});
const MOST_SECONDS = 86_400;

/** The settings with usable values only, and what is wrong with the others. Without a server the device asks nobody for updates. */
export function checkBuild(build: BuildSettings): {
  readonly build: BuildSettings;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const wrong = (what: string) => problems.push({ code: "BUILD_INVALID", message: `This build's ${what}` });
  const server = readServerAddress(String(build.server ?? ""));
  if (!server.ok)
    wrong(
      `update server cannot be asked for updates. ${server.failure.message} Set another on the device's page.`,
    );
  const duration = (name: Duration): number => {
    const seconds = Number(build[name]);
    if (seconds >= LEAST_SECONDS[name] && seconds <= MOST_SECONDS) return seconds;
    wrong(`${name} is not ${LEAST_SECONDS[name]} to ${MOST_SECONDS}; it is taken as ${DEFAULTS[name]}.`);
    return DEFAULTS[name];
  };
  return {
    build: {
      ...build,
      server: server.ok ? server.value : "",
      checkSeconds: duration("checkSeconds"),
      trialSeconds: duration("trialSeconds"),
      trialDeadlineSeconds: duration("trialDeadlineSeconds"),
    },
    problems,
  };
}
