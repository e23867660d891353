// What a device shows a person who looks at it, by an LED or a panel: one of a few statuses. Which one is device-status.ts's business.

export type StatusName =
  | "setup"
  | "joining"
  | "online"
  | "updating"
  | "trial"
  | "error"
  | "safeMode"
  | "identify";

export interface Status {
  readonly name: StatusName;
  /** Of an update, in steps of 5; otherwise 0. */
  readonly percent: number;
}

export const PERCENT_STEP = 5;
/** How long a device shows which one it is: time to look around. */
export const IDENTIFY_MS = 30_000;

/** It is shown for a while, whatever comes meanwhile, and then what was before. */
export const isPassing = ({ name }: Status): boolean => name === "error" || name === "identify";

export const isSameStatus = (a: Status, b: Status): boolean => a.name === b.name && a.percent === b.percent;
