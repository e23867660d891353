// What a device shows a person who looks at it, by an LED or a panel: one of a few statuses. device-status.ts decides which.

export type StatusName =
  | "setup"
  | "joining"
  | "online"
  /** It is online, but the other device of its pair is silent or not compatible. */
  | "warning"
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
/** How long a device identifies itself: time to look around. */
export const IDENTIFY_MS = 30_000;

/** Transient: shown for a while, whatever comes meanwhile, and then the status before it. */
export const isPassing = ({ name }: Status): boolean => name === "error" || name === "identify";

export const isSameStatus = (a: Status, b: Status): boolean => a.name === b.name && a.percent === b.percent;
