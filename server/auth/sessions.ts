// Sessions: each sign-in has one, and one refresh token at a time that opens it. With each use a successor is given out; the old
// token stays good until the successor is used, because the answer that carried it may have been lost. A client that comes with a token
// that was replaced for good has stolen it, or its owner's copy was stolen: the session ends for both. A token that was never given out
// ends nothing, though it names a session (whose id is in every access token): the session's own key has signed those that were.
//
//   skr_SECRET.SESSION.SIGNATURE     SIGNATURE: HMAC-SHA256(refreshKey, SECRET), its first 128 bits
//
//   refreshHash ──use──▶ refreshHash, nextHash ──use of next──▶ refreshHash := next, nextHash := new ──▶ …
//                             └─ use of refreshHash again: another successor, the first one is void

import { createHmac, randomBytes, randomUUID } from "node:crypto";
import type { Session, User, UserStore } from "../store/users.js";
import { hashSecret, isSameHash, isSecret, makeSecret } from "./secret.js";
import type { LoginClient } from "./throttle.js";

/** However active: after that one signs in again. */
export const SESSION_VALID_MS = 30 * 24 * 60 * 60_000;
/** Without any use. */
const IDLE_MS = 7 * 24 * 60 * 60_000;
/** Two pages of one browser that refresh at the same time share one successor: the second one is given none. */
const SHARED_MS = 10_000;
const MAX_CLIENT_LENGTH = 200;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 16;

export interface Where extends LoginClient {
  /** What it calls itself. */
  readonly client: string;
}

export interface OpenedSession {
  readonly session: Session;
  /** Absent: the one that the client has, or is just being given elsewhere, stays. */
  readonly refreshToken?: string;
}

export async function startSession(
  store: UserStore,
  user: User,
  { address, client }: Where,
  time: number,
): Promise<OpenedSession> {
  await store.removeSessions(time - IDLE_MS);
  const id = randomUUID();
  const refreshKey = randomBytes(KEY_BYTES).toString("base64url");
  const refreshToken = makeRefreshToken({ id, refreshKey });
  const session = await store.addSession({
    id,
    userId: user.id,
    address,
    client: client.slice(0, MAX_CLIENT_LENGTH),
    createdAt: time,
    expiresAt: time + SESSION_VALID_MS,
    refreshHash: hashSecret(refreshToken),
    refreshKey,
  });
  return { session, refreshToken };
}

/** `undefined`: the token opens nothing. `reused`: it did once; its session has been ended. Runs in a transaction. */
export async function refreshSession(
  store: UserStore,
  token: string,
  time: number,
): Promise<OpenedSession | "reused" | undefined> {
  const known = await store.findSession(sessionOf(token));
  if (!known || !isOpen(known, time)) return undefined;
  const hash = hashSecret(token);
  if (known.nextHash !== null && isSameHash(hash, known.nextHash)) {
    return succeed(store, { ...known, refreshHash: known.nextHash }, time);
  }
  if (!isSameHash(hash, known.refreshHash)) {
    if (!wasGivenOut(token, known)) return undefined;
    await store.changeSession(known.id, { endedAt: time, endReason: "an old refresh token was used again" });
    return "reused";
  }
  if (known.nextAt !== null && time - known.nextAt < SHARED_MS) return { session: known };
  return succeed(store, known, time);
}

export const isOpen = (session: Session, time: number): boolean =>
  session.endedAt === null && time < session.expiresAt && time - session.lastUsedAt < IDLE_MS;

/** Whether a refresh token opens a session: it, or one that may follow it. */
export const isOpenedBy = (session: Session, refreshToken: string): boolean =>
  [session.refreshHash, session.nextHash].some(
    (hash) => hash !== null && isSameHash(hashSecret(refreshToken), hash),
  );

/** The session that a refresh token belongs to. */
export const sessionOf = (refreshToken: string): string =>
  isSecret("refresh", refreshToken) ? (refreshToken.split(".")[1] ?? "") : "";

async function succeed(store: UserStore, session: Session, time: number): Promise<OpenedSession> {
  const refreshToken = makeRefreshToken(session);
  const changed = await store.changeSession(session.id, {
    refreshHash: session.refreshHash,
    nextHash: hashSecret(refreshToken),
    nextAt: time,
    lastUsedAt: time,
  });
  return { session: changed ?? session, refreshToken };
}

type Signing = Pick<Session, "id" | "refreshKey">;

function makeRefreshToken({ id, refreshKey }: Signing): string {
  const secret = makeSecret("refresh");
  return [secret, id, ...(refreshKey === null ? [] : [sign(secret, refreshKey)])].join(".");
}

/** Whether a token of this session, which does not open it, once did. Of sessions without a key nobody knows. */
function wasGivenOut(token: string, { refreshKey }: Signing): boolean {
  const [secret = "", , signature = ""] = token.split(".");
  return refreshKey !== null && isSameHash(signature, sign(secret, refreshKey));
}

const sign = (secret: string, key: string): string =>
  createHmac("sha256", key).update(secret).digest().subarray(0, SIGNATURE_BYTES).toString("base64url");
