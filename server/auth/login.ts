// Signing in: with name and password, with a refresh token, or with a one-time link that sets a password. Whatever is wrong about
// a name and a password, the answer is the same and takes as long.

import { type Journal, record, recordChange } from "../events/journal.js";
import type { Live } from "../events/live.js";
import type { Actor } from "../shared/actor.js";
import { scopesOf } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";
import type { Store } from "../store/store.js";
import type { OneTimeLink, Session, User } from "../store/users.js";
import { addUser, changeUser, requireGoodPassword } from "./accounts.js";
import type { Auth } from "./auth.js";
import { hashSecret } from "./secret.js";
import {
  isOpenedBy,
  type OpenedSession,
  refreshSession,
  sessionOf,
  startSession,
  type Where,
} from "./sessions.js";
import type { LoginClient } from "./throttle.js";

interface LoginContext {
  readonly auth: Auth;
  readonly store: Store;
  readonly live: Live;
  readonly now: () => number;
}

export interface SignedIn extends OpenedSession {
  readonly user: User;
}

/** @throws Refusal LOGIN_FAILED, TOO_MANY_LOGINS, BUSY */
export async function logIn(
  context: LoginContext,
  { name, password }: { readonly name: string; readonly password: string },
  where: Where,
): Promise<SignedIn> {
  const { auth, store, now } = context;
  const isKnown = await requirePatience(auth, name, where, now());
  const user = await store.findUserByName(name);
  const { isRight, renewed } = await auth.passwords.verify(
    password,
    user?.isActive ? user.passwordHash : null,
    { isKnown },
  );
  if (!user || !isRight) throw new Refusal("LOGIN_FAILED", "this name and this password do not fit");
  await auth.throttle.succeeded(name, where, now());
  return recordChange(context, becoming(user, where), async (journal) => {
    // It may have been changed or disabled while the password was checked.
    const current = await journal.store.findUser(user.id);
    if (!current?.isActive || current.passwordHash !== user.passwordHash)
      throw new Refusal("LOGIN_FAILED", "this name and this password do not fit");
    if (renewed) await journal.store.changeUser(user.id, { passwordHash: renewed }, journal.time);
    return openSession(journal, current, where);
  });
}

/** @throws Refusal SESSION_ENDED */
export async function refresh(context: LoginContext, refreshToken: string, where: Where): Promise<SignedIn> {
  const opened = await record(context, ({ store, time }) => refreshSession(store, refreshToken, time));
  if (opened === "reused") await noteReuse(context, refreshToken, where);
  if (opened === undefined || opened === "reused")
    throw new Refusal("SESSION_ENDED", "this session has ended: sign in again");
  const user = await context.store.findUser(opened.session.userId);
  if (!user?.isActive) throw new Refusal("SESSION_ENDED", "this session has ended: sign in again");
  return { ...opened, user };
}

/** A token was copied: the user has to be informed. */
async function noteReuse(context: LoginContext, refreshToken: string, where: Where): Promise<void> {
  const session = await context.store.findSession(sessionOf(refreshToken));
  const user = session && (await context.store.findUser(session.userId));
  if (!user) return;
  await recordChange(context, becoming(user, where), (journal) =>
    journal.audit({
      action: "session.revoked",
      subject: `user/${user.name}`,
      before: { client: session.client, reason: session.endReason },
    }),
  );
}

/** Ends the session that is known already, or that a refresh token opens. */
export async function logOut(
  context: LoginContext,
  {
    sessionId,
    refreshToken = "",
  }: { readonly sessionId?: string | undefined; readonly refreshToken?: string | undefined },
  where: Where,
): Promise<void> {
  const session = await context.store.findSession(sessionId ?? sessionOf(refreshToken));
  if (!session || session.endedAt !== null) return;
  if (sessionId === undefined && !isOpenedBy(session, refreshToken)) return;
  const user = await context.store.findUser(session.userId);
  if (user) await endSession(context, becoming(user, where), session);
}

export function endSession(context: LoginContext, actor: Actor, { id, client }: Session): Promise<void> {
  return recordChange(context, actor, async (journal) => {
    await journal.store.changeSession(id, { endedAt: journal.time, endReason: "signed out" });
    await journal.audit({ action: "session.ended", subject: `user/${actor.name}`, before: { client } });
  });
}

/** What a one-time link is for, and nothing if it is not good any more. @throws Refusal LINK_INVALID */
export async function readLink(
  store: Store,
  secret: string,
  time: number,
): Promise<{ readonly link: OneTimeLink; readonly user: User | undefined }> {
  const link = await store.findLink(hashSecret(secret));
  const user = link?.userId == null ? undefined : await store.findUser(link.userId);
  const isGood =
    link !== undefined &&
    time < link.expiresAt &&
    (link.userId === null ? (await store.countAdmins()) === 0 : user?.isActive === true);
  if (!isGood) throw new Refusal("LINK_INVALID", "this link was used already, or has expired");
  return { link, user };
}

/** Sets a password by a one-time link, makes the first administrator if the link is for that, and signs in. @throws Refusal */
export async function useLink(
  context: LoginContext,
  { token, name, password }: { readonly token: string; readonly name?: string; readonly password: string },
  where: Where,
): Promise<SignedIn> {
  const { auth, store, now } = context;
  const { user: known } = await readLink(store, token, now());
  const userName = known?.name ?? name;
  if (userName === undefined) throw new Refusal("INVALID_REQUEST", "name is missing");
  requireGoodPassword(password, userName);
  const passwordHash = await auth.passwords.hash(password);
  const actor = { ...becoming(known ?? { id: null, name: userName, role: "admin" }, where) };
  const signedIn = await recordChange(context, actor, async (journal) => {
    const { user: current } = await readLink(journal.store, token, journal.time);
    const user = current
      ? await changeUser(journal, current, { passwordHash })
      : await addUser(journal, { name: userName, role: "admin", passwordHash });
    await journal.store.removeLinks(current?.id ?? null);
    return openSession(journal, user, where);
  });
  await auth.throttle.succeeded(userName, where, now());
  return signedIn;
}

async function openSession(journal: Journal, user: User, where: Where): Promise<SignedIn> {
  const { store, time } = journal;
  const changed = await store.changeUser(user.id, { lastLoginAt: time }, time);
  const opened = await startSession(store, user, where, time);
  await journal.audit({
    action: "session.started",
    subject: `user/${user.name}`,
    after: { client: opened.session.client },
  });
  return { ...opened, user: changed ?? user };
}

/** The actor of a sign-in: the user who has just proved their identity. */
const becoming = (
  { id, name, role }: Pick<User, "name" | "role"> & { readonly id: number | null },
  { address }: Where,
): Actor => ({
  kind: "user",
  name,
  person: name,
  userId: id,
  sessionId: null,
  tokenId: null,
  role,
  scopes: scopesOf(role),
  deviceTypes: null,
  address,
});

/** @returns whether the client has signed in to this account before. @throws Refusal TOO_MANY_LOGINS */
export async function requirePatience(
  auth: Auth,
  name: string,
  client: LoginClient,
  now: number,
): Promise<boolean> {
  const { waitMs, isKnown } = await auth.throttle.take(name, client, now);
  if (waitMs === 0) return isKnown;
  const seconds = Math.ceil(waitMs / 1000);
  throw new Refusal("TOO_MANY_LOGINS", `too many sign-ins: the next is taken in ${seconds} s`, {
    retryAfterSeconds: seconds,
  });
}
