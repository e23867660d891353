// The user of a credential, with the store in memory: sessions, API tokens, and what ends them.

import { expect } from "chai";
import { ACCESS_VALID_MS } from "../../../server/auth/access-tokens.js";
import { Auth } from "../../../server/auth/auth.js";
import { hashSecret, isSameHash, makeSecret } from "../../../server/auth/secret.js";
import { refreshSession, SESSION_VALID_MS, startSession } from "../../../server/auth/sessions.js";
import type { Role, Scope } from "../../../server/shared/permissions.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";
import type { User } from "../../../server/store/users.js";

const START = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ADDRESS = "192.0.2.1";
const WHERE = { address: ADDRESS, client: "a browser" };
const LOCAL = makeSecret("local");

let store: Store;
let auth: Auth;
let now: number;
beforeEach(async () => {
  now = START;
  store = await openSqliteStore(":memory:");
  auth = new Auth({ store, now: () => now, localToken: LOCAL, passwordCost: { ln: 4, r: 8, p: 1 } });
});
afterEach(() => store.close());

const addUser = (role: Role = "operator"): Promise<User> =>
  store.addUser({ name: `${role}-one`, role, passwordHash: null, createdAt: now });
const nameOf = async (credential: string) => (await auth.identify(credential, ADDRESS))?.name;

async function signIn(user: User) {
  const { session, refreshToken = "" } = await startSession(store, user, WHERE, now);
  const { token } = await auth.issueAccess(session.id);
  return { id: session.id, token, refreshToken };
}

describe("an access token", () => {
  it("is valid for 15 minutes, for the user whose session it names", async () => {
    const user = await addUser();
    const { token } = await signIn(user);
    const actor = await auth.identify(token, ADDRESS);
    expect(actor).to.include({ kind: "user", name: "operator-one", role: "operator", address: ADDRESS });
    now += ACCESS_VALID_MS - 1000;
    expect(await nameOf(token)).to.equal("operator-one");
    now += 2000;
    expect(await nameOf(token)).to.equal(undefined);
  });

  it("is invalid once its session has ended, or its user is disabled", async () => {
    const user = await addUser();
    const { id, token } = await signIn(user);
    await store.changeUser(user.id, { isActive: false }, now);
    expect(await nameOf(token)).to.equal(undefined);
    await store.changeUser(user.id, { isActive: true }, now);
    expect(await nameOf(token)).to.equal("operator-one");
    await store.changeSession(id, { endedAt: now, endReason: "signed out" });
    expect(await nameOf(token)).to.equal(undefined);
  });

  it("is refused if it was signed by another key", async () => {
    const other = await openSqliteStore(":memory:");
    const stranger = new Auth({ store: other, now: () => now });
    const { id } = await signIn(await addUser());
    expect(await nameOf((await stranger.issueAccess(id)).token)).to.equal(undefined);
    expect(await nameOf("a.b.c")).to.equal(undefined);
    await other.close();
  });
});

describe("a session", () => {
  const refreshAt = async (token: string, time: number) => {
    const opened = await refreshSession(store, token, time);
    return typeof opened === "object" ? opened.refreshToken : opened;
  };

  it("issues a new refresh token at each use, and keeps the old one valid until the new one is used", async () => {
    const { refreshToken } = await signIn(await addUser());
    const second = (await refreshAt(refreshToken, START + MINUTE)) ?? "";
    expect(await refreshAt(refreshToken, START + 2 * MINUTE), "its answer may have been lost").to.match(
      /^skr_/,
    );
    const third = (await refreshAt(refreshToken, START + 3 * MINUTE)) ?? "";
    expect(await refreshAt(third, START + 4 * MINUTE)).to.match(/^skr_/);
    expect(second).not.to.equal(third);
  });

  it("ends when a replaced refresh token is reused", async () => {
    const { id, refreshToken } = await signIn(await addUser());
    const second = (await refreshAt(refreshToken, START + MINUTE)) ?? "";
    const third = (await refreshAt(second, START + 2 * MINUTE)) ?? "";
    expect(await refreshAt(refreshToken, START + 3 * MINUTE)).to.equal("reused");
    expect((await store.findSession(id))?.endedAt).to.equal(START + 3 * MINUTE);
    expect(await refreshAt(third, START + 4 * MINUTE), "for both").to.equal(undefined);
  });

  it("gives the same successor to two pages that refresh together", async () => {
    const { refreshToken } = await signIn(await addUser());
    expect(await refreshAt(refreshToken, START + MINUTE)).to.match(/^skr_/);
    expect(await refreshAt(refreshToken, START + MINUTE + 5_000)).to.equal(undefined);
    expect(await refreshSession(store, refreshToken, START + MINUTE + 5_000)).to.have.property("session");
  });

  it("expires after a week without use, and after 30 days in any case", async () => {
    const idle = await signIn(await addUser());
    expect(await refreshAt(idle.refreshToken, START + 7 * DAY)).to.equal(undefined);
    let token: string | undefined = idle.refreshToken;
    let time = START;
    for (; time + 6 * DAY < START + SESSION_VALID_MS; ) {
      time += 6 * DAY;
      token = await refreshAt(token ?? "", time);
      expect(token, `day ${(time - START) / DAY}`).to.match(/^skr_/);
    }
    expect(await refreshAt(token ?? "", START + SESSION_VALID_MS)).to.equal(undefined);
  });
});

describe("an API token", () => {
  const addToken = async (
    user: User,
    changes: { readonly scopes?: readonly Scope[]; readonly expiresAt?: number } = {},
  ) => {
    const secret = makeSecret("apiToken");
    const { id } = await store.addApiToken({
      userId: user.id,
      madeBy: null,
      name: "ci",
      hash: hashSecret(secret),
      scopes: ["read", "settings:write"],
      deviceTypes: null,
      createdAt: now,
      expiresAt: null,
      ...changes,
    });
    return { id, secret };
  };

  it("has the scopes it was given, limited to its owner's", async () => {
    const { secret } = await addToken(await addUser("operator"));
    expect((await auth.identify(secret, ADDRESS))?.scopes).to.deep.equal(["read"]);
    const ofAdmin = await addToken(await addUser("admin"));
    expect((await auth.identify(ofAdmin.secret, ADDRESS))?.scopes).to.deep.equal(["read", "settings:write"]);
  });

  it("is valid until it expires or is revoked, and while its owner is active", async () => {
    const user = await addUser();
    const { id, secret } = await addToken(user, { expiresAt: now + DAY });
    expect(await nameOf(secret)).to.equal("operator-one (token ci)");
    await store.changeUser(user.id, { isActive: false }, now);
    expect(await nameOf(secret)).to.equal(undefined);
    await store.changeUser(user.id, { isActive: true }, now);
    now += DAY;
    expect(await nameOf(secret)).to.equal(undefined);
    now -= 1;
    expect(await nameOf(secret)).to.equal("operator-one (token ci)");
    await store.changeApiToken(id, { revokedAt: now });
    expect(await nameOf(secret)).to.equal(undefined);
  });
});

describe("the local token", () => {
  it("is accepted only complete", async () => {
    expect(await nameOf(LOCAL)).to.equal("local administrator");
    expect(await nameOf(`${LOCAL.slice(0, -1)}x`)).to.equal(undefined);
  });

  it("is compared by its whole hash", () => {
    const hash = hashSecret(LOCAL);
    expect(isSameHash(hash, hash)).to.equal(true);
    const last = hash.endsWith("0") ? "1" : "0";
    expect(isSameHash(hash, hash.slice(0, -1) + last)).to.equal(false);
    expect(isSameHash(hash, hash.slice(0, 32))).to.equal(false);
  });
});
