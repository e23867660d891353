// Who vouched for a device, and whether a rollout counts it as evidence. Where a type is open, anyone can register any number of devices
// and have them report what they like: they would open stages, finish a rollout that breaks every real device, or stop a good one. So
// a rollout counts those that somebody vouched for, and those that were known before it began. The others are offered what their type
// is, and count for nothing. Pure; store/sql/counted.ts says the same in SQL.

import type { DeviceIdentity, DeviceState, JudgedIdentity, Vouching } from "../store/device-identities.js";

/** What decides whether a device counts. */
export interface Standing {
  readonly state: DeviceState;
  readonly isVouched: boolean;
  /** Since when it is known as one of its type. */
  readonly since: number;
}

/** Of a device from before there were identities. */
const EARLY: Standing = Object.freeze({ state: "approved", isVouched: false, since: 0 });

export const standingOf = (identity: JudgedIdentity | undefined): Standing =>
  identity ? { state: identity.state, isVouched: isVouched(identity), since: identity.typeSince } : EARLY;

export const isVouched = ({
  vouchedType,
  deviceType,
}: Pick<DeviceIdentity, "vouchedType" | "deviceType">): boolean => vouchedType === deviceType;

/** @param startedAt when the rollout began; `null`: it has not, so every device that is known counts */
export const isCounted = (
  { state, isVouched, since }: Standing,
  { startedAt }: { readonly startedAt: number | null },
): boolean => state === "approved" && (isVouched || startedAt === null || since <= startedAt);

export const vouchFor = (
  deviceType: string,
  how: Vouching,
  by: string,
  at: number,
): Pick<DeviceIdentity, "vouchedHow" | "vouchedBy" | "vouchedAt" | "vouchedType"> => ({
  vouchedHow: how,
  vouchedBy: by,
  vouchedAt: at,
  vouchedType: deviceType,
});

export const NOBODY: Pick<DeviceIdentity, "vouchedHow" | "vouchedBy" | "vouchedAt" | "vouchedType"> =
  Object.freeze({ vouchedHow: null, vouchedBy: null, vouchedAt: null, vouchedType: null });
