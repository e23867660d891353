// Finds out who makes a request: four kinds of credentials, one kind of answer (actor.ts). It authorises nothing: the guard does.

import type { Actor } from "../shared/actor.js";
import { scopesOf, scopesOfToken } from "../shared/permissions.js";
import type { Store } from "../store/store.js";
import { ACCESS_VALID_MS, AccessTokens } from "./access-tokens.js";
import type { PasswordCost } from "./password.js";
import { PasswordChecks } from "./password-checks.js";
import { hashSecret, isSameHash, isSecret } from "./secret.js";
import { isOpen } from "./sessions.js";
import { SigningKeys } from "./signing-keys.js";
import { LoginThrottle } from "./throttle.js";

interface AuthOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The token of the data folder; absent: there is none. */
  readonly localToken?: string;
  /** Of new password hashes. */
  readonly passwordCost?: PasswordCost;
}

/** How often a token's last use is stored. */
const USE_NOTED_MS = 60_000;

export class Auth {
  readonly passwords: PasswordChecks;
  readonly throttle: LoginThrottle;
  readonly #access: AccessTokens;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #localHash: string | undefined;

  constructor({ store, now, localToken, passwordCost }: AuthOptions) {
    this.passwords = new PasswordChecks(passwordCost);
    this.throttle = new LoginThrottle(store);
    this.#store = store;
    this.#now = now;
    this.#access = new AccessTokens(new SigningKeys(store, now), now);
    this.#localHash = localToken === undefined ? undefined : hashSecret(localToken);
  }

  /** Good for a session, until `expiresInSeconds`. */
  async issueAccess(
    sessionId: string,
  ): Promise<{ readonly token: string; readonly expiresInSeconds: number }> {
    return { token: await this.#access.issue(sessionId), expiresInSeconds: ACCESS_VALID_MS / 1000 };
  }

  /** The holder of what stands behind `Authorization: Bearer`, or of the access cookie. */
  async identify(credential: string, address: string): Promise<Actor | undefined> {
    if (this.#localHash !== undefined && isSameHash(hashSecret(credential), this.#localHash))
      return { ...LOCAL, address };
    if (isSecret("apiToken", credential)) return this.#holderOfToken(credential, address);
    return this.#holderOfSession(await this.#access.verify(credential), address);
  }

  /** Whether an actor would still be let in: for what stays open long. */
  async isStillKnown(actor: Actor): Promise<boolean> {
    if (actor.sessionId !== null)
      return (await this.#holderOfSession(actor.sessionId, actor.address)) !== undefined;
    if (actor.tokenId === null || actor.userId === null) return true;
    const token = await this.#store.findApiToken(actor.tokenId);
    const owner = await this.#store.findUser(actor.userId);
    return token !== undefined && this.#isGood(token) && owner?.isActive === true;
  }

  async #holderOfSession(sessionId: string | undefined, address: string): Promise<Actor | undefined> {
    const session = sessionId === undefined ? undefined : await this.#store.findSession(sessionId);
    if (!session || !isOpen(session, this.#now())) return undefined;
    const user = await this.#store.findUser(session.userId);
    if (!user?.isActive) return undefined;
    return {
      kind: "user",
      name: user.name,
      person: user.name,
      userId: user.id,
      sessionId: session.id,
      tokenId: null,
      role: user.role,
      scopes: scopesOf(user.role),
      deviceTypes: null,
      address,
    };
  }

  async #holderOfToken(credential: string, address: string): Promise<Actor | undefined> {
    const token = await this.#store.findApiTokenByHash(hashSecret(credential));
    if (!token || !this.#isGood(token)) return undefined;
    const owner = await this.#store.findUser(token.userId);
    if (!owner?.isActive) return undefined;
    const time = Math.round(this.#now());
    if (token.lastUsedAt === null || Math.abs(time - token.lastUsedAt) >= USE_NOTED_MS)
      await this.#store.changeApiToken(token.id, { lastUsedAt: time });
    return {
      kind: "token",
      name: `${owner.name} (token ${token.name})`,
      person: token.madeBy ?? owner.name,
      userId: owner.id,
      sessionId: null,
      tokenId: token.id,
      role: owner.role,
      scopes: scopesOfToken(token.scopes, owner.role),
      deviceTypes: token.deviceTypes,
      address,
    };
  }

  #isGood({
    revokedAt,
    expiresAt,
  }: {
    readonly revokedAt: number | null;
    readonly expiresAt: number | null;
  }) {
    return revokedAt === null && (expiresAt === null || this.#now() < expiresAt);
  }
}

const LOCAL: Omit<Actor, "address"> = Object.freeze({
  kind: "local",
  name: "local administrator",
  person: "local administrator",
  userId: null,
  sessionId: null,
  tokenId: null,
  role: "admin",
  scopes: scopesOf("admin"),
  deviceTypes: null,
});

/** A client on this machine that reads without sign-in, where that is allowed. */
export const HERE: Omit<Actor, "address"> = Object.freeze({
  kind: "here",
  name: "this machine",
  person: "this machine",
  userId: null,
  sessionId: null,
  tokenId: null,
  role: "viewer",
  scopes: scopesOf("viewer"),
  deviceTypes: null,
});
