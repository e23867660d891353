// What the owner of a display can choose: a settings section (app-settings.ts). The sleep time is offered only if the build
// sleeps at all: one for a cable does not. It is also the time between two checks for updates, as a sleeping device makes none.

import type { Section, Values } from "../../../core/section.js";
import { CMS_STRINGS as text } from "./strings.js";

/** Shortest refresh interval, seconds. */
const LEAST_REFRESH_SECONDS = 30;
const DAY_SECONDS = 86_400;

export interface CmsChoice {
  readonly refreshSeconds: number;
  /** 0: it never sleeps. */
  readonly sleepSeconds: number;
}

/** @param builtSleepSeconds 0: the build never sleeps */
export const cmsSection = (builtSleepSeconds: number): Section => ({
  name: "cms",
  title: text.title,
  fields: [
    {
      type: "number",
      name: "refreshSeconds",
      label: text.refreshSeconds,
      least: LEAST_REFRESH_SECONDS,
      most: DAY_SECONDS,
    },
    ...(builtSleepSeconds > 0
      ? [
          {
            type: "number",
            name: "sleepSeconds",
            label: text.sleepSeconds,
            hint: text.sleepHint(builtSleepSeconds),
            least: 0,
            most: DAY_SECONDS,
          } as const,
        ]
      : []),
  ],
  defaults: { refreshSeconds: 300, sleepSeconds: 0 },
});

export const readCmsChoice = (values: Values): CmsChoice => ({
  refreshSeconds: Number(values.refreshSeconds),
  sleepSeconds: Number(values.sleepSeconds),
});
