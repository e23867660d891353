// What operators decide about a device's identity: whether it is admitted, and its token. Each decision is in the audit log.

import { hashSecret, makeSecret } from "../auth/secret.js";
import type { Journal } from "../events/journal.js";
import { timeOrNull } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import type { DeviceIdentity } from "../store/store.js";
import { issue, newIdentity } from "./identity.js";
import { isVouched, vouchFor } from "./vouching.js";

export type IdentityAction = "approve" | "block" | "rotate-token" | "forget-token";

/** What an operator decides about a device. The next check follows it. Who approves a device vouches for it. @param actor the person's name */
export async function changeIdentity(
  journal: Journal,
  identity: DeviceIdentity,
  action: IdentityAction,
  actor: string,
): Promise<DeviceIdentity> {
  const isNew = action === "approve" && !(identity.state === "approved" && isVouched(identity));
  const vouched = isNew ? vouchFor(identity.deviceType, "approval", actor, journal.time) : {};
  const after = { ...identity, ...CHANGES[action], ...vouched, updatedAt: journal.time };
  await journal.store.putIdentity(after);
  await journal.audit({
    action: `device.${action}`,
    subject: `device/${identity.deviceId}`,
    before: { ...describeIdentity(identity), unused_tokens: identity.issued.length },
    after: { ...describeIdentity(after), unused_tokens: after.issued.length },
  });
  return after;
}

const CHANGES: Readonly<Record<IdentityAction, Partial<DeviceIdentity>>> = Object.freeze({
  approve: { state: "approved" },
  block: { state: "blocked" },
  "rotate-token": { isRotating: true },
  // For a device that has lost its token, or was claimed by a stranger: the next client is trusted.
  "forget-token": { tokenHash: null, issued: [], isRotating: false },
});

/**
 * A token that a person configures in a client that cannot receive one in an answer. An unknown device is approved by it; one that uses a token already may go on with that until it uses the new one. @returns the token, which is stored nowhere
 * @throws Refusal DEVICE_TYPE_MISSING, DEVICE_TYPE_DIFFERS
 */
export async function giveToken(
  journal: Journal,
  deviceId: string,
  deviceType: string | undefined,
  actor: string,
): Promise<{ readonly identity: DeviceIdentity; readonly token: string }> {
  const stored = await journal.store.findIdentity(deviceId);
  const type = stored?.deviceType ?? deviceType;
  if (type === undefined)
    throw new Refusal(
      "DEVICE_TYPE_MISSING",
      `device ${deviceId} has never been here: say of which type it is`,
    );
  if (deviceType !== undefined && deviceType !== type)
    throw new Refusal("DEVICE_TYPE_DIFFERS", `device ${deviceId} is of type ${type}, not ${deviceType}`);
  const token = makeSecret("device");
  const before = stored ?? newIdentity(deviceId, type, "approved", journal.time);
  const identity: DeviceIdentity = {
    ...before,
    ...vouchFor(type, "token", actor, journal.time),
    // No other client has one so far: it counts at once, before another comes.
    ...(before.tokenHash === null
      ? { tokenHash: hashSecret(token), issued: [] }
      : { issued: issue(before.issued, token, journal.time) }),
    updatedAt: journal.time,
  };
  await journal.store.putIdentity(identity);
  await journal.audit({
    action: "device.token-given",
    subject: `device/${deviceId}`,
    before: stored && describeIdentity(stored),
    // Also where nothing else is to be seen of it: the log leaves it out, but says that it is another.
    after: { ...describeIdentity(identity), token: "given" },
  });
  return { identity, token };
}

/** Without any hash. */
export const describeIdentity = (identity: DeviceIdentity) => ({
  device_id: identity.deviceId,
  device_type: identity.deviceType,
  state: identity.state,
  uses_token: identity.tokenHash !== null,
  is_rotating: identity.isRotating,
  interval_seconds: identity.intervalSeconds,
  ...describeVouching(identity),
});

/** Who vouched for the device as what it is now; null: nobody. */
export function describeVouching(identity: DeviceIdentity | undefined) {
  const known = identity && isVouched(identity) ? identity : undefined;
  return {
    vouched_how: known?.vouchedHow ?? null,
    vouched_by: known?.vouchedBy ?? null,
    vouched_at: timeOrNull(known?.vouchedAt),
  };
}
