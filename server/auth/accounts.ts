// The rules about users: who may sign in, what a password must be, and that one administrator always remains. Each function runs in
// a transaction and writes the audit log.

import type { Journal } from "../events/journal.js";
import type { Role } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";
import type { OneTimeLink, User, UserChanges } from "../store/users.js";
import { checkPasswordRules } from "./password.js";
import { hashSecret, makeSecret } from "./secret.js";

export const USER_NAME_PATTERN = "^[a-z][a-z0-9._@-]{0,62}[a-z0-9]$";
/** The link that makes the first administrator is printed to a log. */
export const FIRST_LINK_VALID_MS = 60 * 60_000;
/** The link for a colleague goes by mail. */
export const USER_LINK_VALID_MS = 7 * 24 * 60 * 60_000;

/** @throws Refusal PASSWORD_WEAK */
export function requireGoodPassword(password: string, userName: string): void {
  const problem = checkPasswordRules(password, userName);
  if (problem !== undefined) throw new Refusal("PASSWORD_WEAK", problem);
}

/** @throws AlreadyExists */
export async function addUser(
  journal: Journal,
  user: { readonly name: string; readonly role: Role; readonly passwordHash: string | null },
): Promise<User> {
  const added = await journal.store.addUser({ ...user, createdAt: journal.time });
  await journal.audit({ action: "user.added", subject: `user/${added.name}`, after: describeUser(added) });
  return added;
}

/** A new password or a disabled user ends every session but the one it was asked in. @throws Refusal LAST_ADMIN */
export async function changeUser(
  journal: Journal,
  user: User,
  changes: Pick<UserChanges, "role" | "isActive" | "passwordHash">,
  exceptSession?: string,
): Promise<User> {
  const { store, time } = journal;
  const losesAdmin = (changes.role !== undefined && changes.role !== "admin") || changes.isActive === false;
  if (user.role === "admin" && user.isActive && losesAdmin && (await store.countAdmins()) <= 1) {
    throw new Refusal("LAST_ADMIN", `${user.name} is the last administrator: make another one first`);
  }
  const changed = (await store.changeUser(user.id, changes, time)) ?? user;
  if (changes.isActive === false) await store.endSessions(user.id, time, "the user was disabled");
  if (changes.passwordHash !== undefined) {
    await store.endSessions(user.id, time, "the password was changed", exceptSession);
    await store.removeLinks(user.id);
  }
  await journal.audit({
    action: nameChange(changes),
    subject: `user/${user.name}`,
    before: describeUser(user),
    after: {
      ...describeUser(changed),
      ...(changes.passwordHash === undefined ? {} : { password: "changed" }),
    },
  });
  return changed;
}

/** @returns the secret of a link with which a user sets a password; links that were made before are void. */
export async function makeUserLink(journal: Journal, user: User): Promise<OneTimeLink & { secret: string }> {
  const made = makeLink(user.id, journal.time, USER_LINK_VALID_MS);
  await journal.store.putLink(made);
  await journal.audit({
    action: "user.invited",
    subject: `user/${user.name}`,
    after: { expires_at: new Date(made.expiresAt).toISOString() },
  });
  return made;
}

export function makeLink(
  userId: number | null,
  time: number,
  validMs: number,
): OneTimeLink & { readonly secret: string } {
  const secret = makeSecret("link");
  return { secret, hash: hashSecret(secret), userId, createdAt: time, expiresAt: time + validMs };
}

const describeUser = ({ name, role, isActive }: User) => ({ name, role, is_active: isActive });

function nameChange(changes: Pick<UserChanges, "role" | "isActive" | "passwordHash">): string {
  if (changes.isActive !== undefined) return changes.isActive ? "user.enabled" : "user.disabled";
  return changes.role === undefined ? "user.password" : "user.role";
}
