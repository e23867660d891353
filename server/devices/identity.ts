// Whether a device is the one it claims to be, and whether it is admitted at all. A device's token is issued with the answer
// to a check and becomes mandatory when the device has used it, not before: the answer may have been lost, or the client may know
// no tokens. Until then several may be under way; the first that comes back counts.
//
//   nothing ──check──▶ issued ──first use──▶ confirmed ──operator asks──▶ confirmed + issued ──first use──▶ confirmed (the new one)
//      ▲                  └── answer lost: another is issued                                        │
//      └───────────────────────────── operator forgets the token ◀─────────────────────────────────┘

import { hashSecret, isSameHash, isSecret, makeSecret } from "../auth/secret.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type {
  DeviceIdentity,
  DeviceState,
  EnrolmentToken,
  IssuedToken,
  RegistrationPolicy,
} from "../store/store.js";
import { NOBODY, vouchFor } from "./vouching.js";

/** Tokens that may be under way to one device. */
const MAX_ISSUED_COUNT = 4;
const NONE: readonly IssuedToken[] = Object.freeze([]);
/** The policy of every type that has none of its own. */
export const ANY_TYPE = "*";

/** What a request shows of the device that makes it. */
export interface Shown {
  readonly deviceId: string;
  readonly deviceType: string;
  /** What stands behind `Authorization`: the device's own token, or an enrolment token. */
  readonly credential: string | undefined;
  /** It can keep a token that the answer brings. */
  readonly keepsToken: boolean;
  /** Where it comes from. */
  readonly address: string;
  /** Seconds between its checks; absent: it does not say. */
  readonly intervalSeconds?: number | undefined;
}

/** Which device a request names, and what it shows for it. */
type Named = Pick<Shown, "deviceId" | "deviceType" | "credential">;

export interface Admission {
  readonly state: DeviceState;
  /** The device has shown its own token. */
  readonly isProved: boolean;
  /** It has shown its own token, or is new and came with an enrolment token. */
  readonly isTrusted: boolean;
  /** For the answer: the device is to use it from now on. */
  readonly newToken: string | undefined;
  /** The same request gets the same admission until the device or its type's policy changes. */
  readonly isLasting: boolean;
}

/** Admits or refuses a check or a registration, and stores what follows. @throws Refusal DEVICE_… or ENROLMENT_REQUIRED */
export async function admitDevice(journal: Journal, shown: Shown): Promise<Admission> {
  const { store, time } = journal;
  const stored = await store.findIdentity(shown.deviceId);
  const known = stored && (await asType(journal, stored, shown));
  const isProved = known !== undefined && isProvedBy(known, shown.credential);
  const { identity, isEnrolled } = known
    ? { identity: known, isEnrolled: false }
    : await register(journal, shown);
  const proved = isProved ? confirm(identity, shown.credential, shown.deviceType) : identity;
  const isGiven = isProved ? mayRenew(proved, shown) : await mayBegin(journal, identity, shown);
  const newToken = isGiven ? makeSecret("device") : undefined;
  const after: DeviceIdentity = {
    ...proved,
    issued: newToken === undefined ? proved.issued : issue(proved.issued, newToken, time),
    intervalSeconds: shown.intervalSeconds ?? proved.intervalSeconds,
  };
  if (!stored || isChanged(stored, after)) await store.putIdentity({ ...after, updatedAt: time });
  await noteClaim(journal, identity, proved, shown.address);
  const isLasting =
    after.state === "approved" && newToken === undefined && (isProved || shown.credential === undefined);
  return { state: after.state, isProved, isTrusted: isProved || isEnrolled, newToken, isLasting };
}

/**
 * A known device, of the type that it claims now. A client with a device's token, or one that names a device which has used none, may
 * have flashed it as another type. That opens no closed type: there the device waits for approval, or needs what new devices need. And a
 * name alone takes no device out of a closed type. Who vouched for it did so for its former type, and it counts again if it returns to
 * that. @throws Refusal DEVICE_TOKEN_REQUIRED
 */
async function asType(journal: Journal, stored: DeviceIdentity, shown: Shown): Promise<DeviceIdentity> {
  const { deviceId, deviceType, credential } = shown;
  if (deviceType === stored.deviceType) return stored;
  const { registration } = await findPolicy(journal, deviceType);
  const moved = { ...stored, deviceType, typeSince: journal.time };
  if (!isProvedBy(stored, credential)) {
    requireUnclaimed(stored, "first-use", credential);
    if (registration === "enrolment")
      return { ...moved, ...(await useEnrolment(journal, shown)), state: "approved" };
    await requireOfUnproved(journal, stored, { deviceId, deviceType: stored.deviceType, credential });
  }
  return { ...moved, state: registration === "open" ? stored.state : "pending" };
}

/** Checks any other request of a device; whether it has shown its own token. An unknown device is left to the caller. @throws Refusal DEVICE_… */
export async function requireDevice(
  journal: Journal,
  { deviceId, credential, address }: Pick<Shown, "deviceId" | "credential" | "address">,
): Promise<boolean> {
  const identity = await journal.store.findIdentity(deviceId);
  if (!identity || !isProvedBy(identity, credential)) {
    const deviceType = identity?.deviceType ?? (await journal.store.findDevice(deviceId))?.type;
    if (deviceType !== undefined)
      await requireOfUnproved(journal, identity, { deviceId, deviceType, credential });
    return false;
  }
  const confirmed = confirm(identity, credential, identity.deviceType);
  if (isChanged(identity, confirmed))
    await journal.store.putIdentity({ ...confirmed, updatedAt: journal.time });
  await noteClaim(journal, identity, confirmed, address);
  return true;
}

/**
 * For clients that send with every request what they were given, as hawkBit's do: where a type is closed, a client without a token
 * is not served at all. Good is the device's own token, and a good enrolment token of its type, unless each needs its own. Remembers
 * nothing. @throws Refusal DEVICE_…
 */
export async function requireCredential(
  journal: Pick<Journal, "store" | "time">,
  shown: Named,
): Promise<void> {
  const identity = await journal.store.findIdentity(shown.deviceId);
  if (identity && isProvedBy(identity, shown.credential) && identity.deviceType === shown.deviceType) return;
  await requireOfUnproved(journal, identity, shown);
}

/** Whether somebody was given a credential: the device its own, or whoever sets it up an enrolment token, of whatever type. */
export async function isCredentialKnown(
  { store, time }: Pick<Journal, "store" | "time">,
  deviceId: string,
  credential: string,
): Promise<boolean> {
  if (isSecret("enrolment", credential)) {
    const token = await store.findEnrolmentToken(hashSecret(credential));
    return token !== undefined && isValid(token, time);
  }
  const identity = await store.findIdentity(deviceId);
  return identity !== undefined && isOwn(identity, credential);
}

/** The same for what only devices may have that are let in. @throws Refusal DEVICE_… */
export async function requireMember(journal: Pick<Journal, "store" | "time">, shown: Named): Promise<void> {
  const { deviceId, deviceType } = shown;
  await requireCredential(journal, shown);
  const identity = await journal.store.findIdentity(deviceId);
  const { registration } = await findPolicy(journal, deviceType);
  if (identity ? identity.state === "approved" : registration !== "approval") return;
  throw new Refusal("DEVICE_PENDING", `device ${deviceId} of type ${deviceType} waits for its approval`);
}

/**
 * What a client that has not proved to be the device has to show instead. Where a type is open: nothing, until the device has used a
 * token. @throws Refusal DEVICE_TOKEN_…
 */
async function requireOfUnproved(
  journal: Pick<Journal, "store" | "time">,
  identity: DeviceIdentity | undefined,
  { deviceId, deviceType, credential }: Named,
): Promise<void> {
  const policy = await findPolicy(journal, deviceType);
  if (identity) requireUnclaimed(identity, policy.tokens, credential);
  if (!isClosed(policy)) return;
  const isEnrolled =
    policy.tokens !== "required" && (await findEnrolment(journal, deviceType, credential)) !== undefined;
  if (isEnrolled) return;
  const wanted =
    policy.tokens === "required"
      ? "its own (skd_…)"
      : "its own (skd_…) or an enrolment token of its type (ske_…)";
  throw credential === undefined
    ? new Refusal(
        "DEVICE_TOKEN_REQUIRED",
        `device ${deviceId} of type ${deviceType} needs a token: ${wanted}`,
      )
    : new Refusal(
        "DEVICE_TOKEN_WRONG",
        `the token that device ${deviceId} of type ${deviceType} has sent is not good: it needs ${wanted}`,
      );
}

/** Whether devices of a type are served only if they show a token. */
export const isClosed = ({ registration, tokens }: RegistrationPolicy): boolean =>
  registration !== "open" || tokens === "required";

/** Whether a credential is the device's own. @throws Refusal DEVICE_BLOCKED */
function isProvedBy(identity: DeviceIdentity, credential: string | undefined): boolean {
  const { deviceId, state } = identity;
  if (state === "blocked") throw new Refusal("DEVICE_BLOCKED", `device ${deviceId} is blocked`);
  return credential !== undefined && isOwn(identity, credential);
}

function isOwn({ tokenHash, issued }: DeviceIdentity, credential: string): boolean {
  if (!isSecret("device", credential)) return false;
  const hash = hashSecret(credential);
  return [...(tokenHash === null ? [] : [tokenHash]), ...issued.map((each) => each.hash)].some((own) =>
    isSameHash(own, hash),
  );
}

/** A client that cannot prove to be the device is served only as long as the device has used no token. @throws Refusal */
function requireUnclaimed(
  { deviceId, tokenHash }: DeviceIdentity,
  tokens: RegistrationPolicy["tokens"],
  credential: string | undefined,
): void {
  if (tokenHash === null || tokens === "optional") return;
  const found =
    credential === undefined
      ? (["DEVICE_TOKEN_REQUIRED", `device ${deviceId} has a token and came without it`] as const)
      : (["DEVICE_TOKEN_WRONG", `device ${deviceId} has another token`] as const);
  throw new Refusal(
    found[0],
    `${found[1]}; if it was flashed again, reset its token here: on its page, or by skyslot registration forget-token ${deviceId}`,
  );
}

const mayRenew = ({ isRotating }: DeviceIdentity, { keepsToken }: Shown): boolean => isRotating && keepsToken;

/**
 * Whether a device that has shown no token of its own is given one. Where a type is closed, a client that only knows a
 * device's name is neither given one nor served. @throws Refusal DEVICE_TOKEN_…
 */
async function mayBegin(journal: Journal, identity: DeviceIdentity, shown: Shown): Promise<boolean> {
  const { keepsToken, deviceType, credential } = shown;
  // Most clients without tokens are admitted by one query: without a policy no token is required.
  if (!keepsToken && identity.tokenHash === null) {
    const stored = await findStored(journal, identity.deviceType);
    if (!stored || !isClosed(stored)) return false;
  }
  const policy = await findPolicy(journal, identity.deviceType);
  requireUnclaimed(identity, policy.tokens, credential);
  if (policy.tokens === "required" && !keepsToken) {
    throw new Refusal(
      "DEVICE_TOKEN_REQUIRED",
      `devices of type ${identity.deviceType} need a token, and this client keeps none`,
    );
  }
  const mayHaveOne = keepsToken && identity.tokenHash === null && policy.tokens !== "optional";
  if (policy.registration === "open") return mayHaveOne;
  if (policy.registration === "approval") {
    // A client of ours gets its token with its first check, before its approval. A legacy client keeps none: a client that asks
    // for one in its name is another.
    if (mayHaveOne && !(await isLegacy(journal, deviceType))) return true;
    if (identity.state === "pending") return false;
  }
  if (!(await findEnrolment(journal, deviceType, credential)))
    await requireOfUnproved(journal, identity, shown);
  return mayHaveOne;
}

/** The policy that was set for a type, or else for every type. */
async function findStored(
  { store }: Pick<Journal, "store">,
  deviceType: string,
): Promise<RegistrationPolicy | undefined> {
  const found = await store.findPolicies([deviceType, ANY_TYPE]);
  return found.find((policy) => policy.deviceType === deviceType) ?? found[0];
}

/** The policy of a type. Default: open, and trust on first use; legacy clients know no tokens. */
export async function findPolicy(
  journal: Pick<Journal, "store">,
  deviceType: string,
): Promise<RegistrationPolicy> {
  const stored = await findStored(journal, deviceType);
  return stored?.deviceType === deviceType ? stored : fillPolicy(journal, deviceType, stored);
}

/** What holds for a type that has no policy of its own. */
export async function findDefaultPolicy(
  journal: Pick<Journal, "store">,
  deviceType: string,
): Promise<RegistrationPolicy> {
  const [forAll] = deviceType === ANY_TYPE ? [] : await journal.store.findPolicies([ANY_TYPE]);
  return fillPolicy(journal, deviceType, forAll);
}

const fillPolicy = async (
  journal: Pick<Journal, "store">,
  deviceType: string,
  forAll: RegistrationPolicy | undefined,
): Promise<RegistrationPolicy> => ({
  deviceType,
  registration: forAll?.registration ?? "open",
  tokens: (await isLegacy(journal, deviceType)) ? "optional" : (forAll?.tokens ?? "first-use"),
});

const isLegacy = async ({ store }: Pick<Journal, "store">, deviceType: string): Promise<boolean> =>
  (await store.findType(deviceType))?.kind === "legacy";

/** A device that is seen for the first time; one that was here before there were identities stays welcome. */
async function register(
  journal: Journal,
  shown: Shown,
): Promise<{ readonly identity: DeviceIdentity; readonly isEnrolled: boolean }> {
  const { store, time } = journal;
  const { deviceId, deviceType } = shown;
  const { registration } = await findPolicy(journal, deviceType);
  const device = await store.findDevice(deviceId);
  const old = device?.type === deviceType ? device : undefined;
  // Where anyone may register, a token still says that somebody knows the device.
  const isEnrolled =
    !old && (registration === "enrolment" || (registration === "open" && (await hasRoom(journal, shown))));
  const vouched = isEnrolled ? await useEnrolment(journal, shown) : NOBODY;
  const state = !old && registration === "approval" ? "pending" : "approved";
  const identity = newIdentity(deviceId, deviceType, state, time);
  return { identity: { ...identity, ...vouched, typeSince: old?.firstSeen ?? time }, isEnrolled };
}

/** A device that has shown nothing so far. */
export const newIdentity = (
  deviceId: string,
  deviceType: string,
  state: DeviceState,
  time: number,
): DeviceIdentity => ({
  deviceId,
  deviceType,
  typeSince: time,
  state,
  ...NOBODY,
  tokenHash: null,
  issued: NONE,
  isRotating: false,
  intervalSeconds: null,
  createdAt: time,
  updatedAt: time,
});

/** Returns who vouches for the device by it. @throws Refusal ENROLMENT_REQUIRED */
async function useEnrolment(journal: Journal, { deviceId, deviceType, credential }: Shown) {
  const token = await findEnrolment(journal, deviceType, credential);
  if (!token || isUsedUp(token)) {
    throw new Refusal(
      "ENROLMENT_REQUIRED",
      `a new device of type ${deviceType} needs an enrolment token that is good: ` +
        (token ? `this one was used ${token.useCount} times already` : "send Authorization: Bearer ske_…"),
    );
  }
  await journal.store.changeEnrolmentToken(token.id, { useCount: token.useCount + 1 });
  await journal.log({
    kind: "device.enrolled",
    deviceId,
    message: `${deviceId} is new and came with the enrolment token ${token.name}`,
    detail: { enrolment_token_id: token.id },
  });
  return vouchFor(deviceType, "enrolment", token.name, journal.time);
}

const isUsedUp = ({ maxUseCount, useCount }: EnrolmentToken): boolean =>
  maxUseCount !== null && useCount >= maxUseCount;

/** Whether the device shows an enrolment token that admits another one. */
async function hasRoom(journal: Journal, { deviceType, credential }: Shown): Promise<boolean> {
  const token = await findEnrolment(journal, deviceType, credential);
  return token !== undefined && !isUsedUp(token);
}

async function findEnrolment(
  { store, time }: Pick<Journal, "store" | "time">,
  deviceType: string,
  credential: string | undefined,
) {
  if (credential === undefined || !isSecret("enrolment", credential)) return undefined;
  const token = await store.findEnrolmentToken(hashSecret(credential));
  if (!token || !isValid(token, time)) return undefined;
  return token.deviceType === null || token.deviceType === deviceType ? token : undefined;
}

const isValid = (
  { revokedAt, expiresAt }: Pick<EnrolmentToken, "revokedAt" | "expiresAt">,
  time: number,
): boolean => revokedAt === null && (expiresAt === null || time < expiresAt);

/** The token that the device shows is its token from now on. */
function confirm(
  identity: DeviceIdentity,
  credential: string | undefined,
  deviceType: string,
): DeviceIdentity {
  const hash = hashSecret(credential ?? "");
  const isNew = identity.tokenHash === null || !isSameHash(identity.tokenHash, hash);
  // The old token of a device whose new one is under way proves it too, and stays.
  return isNew
    ? { ...identity, deviceType, tokenHash: hash, issued: NONE, isRotating: false }
    : { ...identity, deviceType };
}

/**
 * A device that was served without a token begins to use one: from now on nobody else is served under its name, and if it was not the
 * device that took the token, it is the device that is refused. A new device takes its token with its first answer: that is no news.
 */
async function noteClaim(
  journal: Journal,
  before: DeviceIdentity,
  after: DeviceIdentity,
  address: string,
): Promise<void> {
  if (before.tokenHash !== null || after.tokenHash === null) return;
  const { deviceId, createdAt } = before;
  const firstSeen = (await journal.store.findDevice(deviceId))?.firstSeen ?? createdAt;
  const issued = before.issued.find(({ hash }) => hash === after.tokenHash);
  if (issued && issued.at <= Math.min(firstSeen, createdAt)) return;
  await journal.log({
    kind: "device.claimed",
    deviceId,
    message:
      `${deviceId} was served without a token; a client at ${address} has begun to use one, ` +
      "and whoever comes without it is refused from now on",
    detail: { address, known_since: new Date(Math.min(firstSeen, createdAt)).toISOString() },
  });
}

/** With a token that is on its way to the device. */
export const issue = (issued: readonly IssuedToken[], token: string, at: number): readonly IssuedToken[] =>
  [{ hash: hashSecret(token), at }, ...issued].slice(0, MAX_ISSUED_COUNT);

const isChanged = (one: DeviceIdentity, other: DeviceIdentity): boolean =>
  one.tokenHash !== other.tokenHash ||
  one.issued !== other.issued ||
  one.isRotating !== other.isRotating ||
  one.deviceType !== other.deviceType ||
  one.typeSince !== other.typeSince ||
  one.vouchedAt !== other.vouchedAt ||
  one.state !== other.state ||
  one.intervalSeconds !== other.intervalSeconds;
