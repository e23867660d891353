// Users, their passwords and their links, with the store in memory.

import { expect } from "chai";
import {
  changeUser,
  FIRST_LINK_VALID_MS,
  makeLink,
  USER_LINK_VALID_MS,
} from "../../../server/auth/accounts.js";
import { readLink } from "../../../server/auth/login.js";
import { PasswordChecks } from "../../../server/auth/password-checks.js";
import { startSession } from "../../../server/auth/sessions.js";
import { Journal } from "../../../server/events/journal.js";
import type { Actor } from "../../../server/shared/actor.js";
import type { Role } from "../../../server/shared/permissions.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";
import type { User } from "../../../server/store/users.js";

const NOW = Date.UTC(2026, 10, 21, 12);
const ACTOR = { kind: "local", name: "local administrator", userId: null, address: "" } as unknown as Actor;

let store: Store;
beforeEach(async () => {
  store = await openSqliteStore(":memory:");
});
afterEach(() => store.close());

const add = (name: string, role: Role = "admin"): Promise<User> =>
  store.addUser({ name, role, passwordHash: null, createdAt: NOW });
const journal = () => new Journal(store, NOW, ACTOR);

/** The code of the refusal, or `undefined` if there is none. */
const codeOf = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error) => error.code,
  );

describe("an administrator", () => {
  it("always remains, whichever user is disabled or changes role", async () => {
    const ada = await add("ada");
    for (const changes of [{ isActive: false }, { role: "operator" } as const])
      expect(await codeOf(changeUser(journal(), ada, changes))).to.equal("LAST_ADMIN");
    const bob = await add("bob");
    expect(await codeOf(changeUser(journal(), ada, { isActive: false }))).to.equal(undefined);
    expect(await codeOf(changeUser(journal(), bob, { isActive: false }))).to.equal("LAST_ADMIN");
  });
});

describe("a user's sessions", () => {
  it("end when the password changes, except the session in which it was changed", async () => {
    const ada = await add("ada");
    const open = async () => (await startSession(store, ada, { address: "", client: "" }, NOW)).session.id;
    const [here, elsewhere] = [await open(), await open()];
    await changeUser(journal(), ada, { passwordHash: "another" }, here);
    expect((await store.findSession(here))?.endedAt).to.equal(null);
    expect((await store.findSession(elsewhere))?.endedAt).to.equal(NOW);
    await changeUser(journal(), await add("bob"), { isActive: true });
    await changeUser(journal(), ada, { isActive: false });
    expect((await store.findSession(here))?.endedAt).to.equal(NOW);
  });
});

describe("a one-time link", () => {
  it("sets its user's password for a week, if the user is active", async () => {
    await add("ada");
    const bob = await add("bob", "viewer");
    const link = makeLink(bob.id, NOW, USER_LINK_VALID_MS);
    await store.putLink(link);
    const read = (time: number) => readLink(store, link.secret, time);
    expect((await read(NOW + USER_LINK_VALID_MS - 1)).user?.name).to.equal("bob");
    expect(await codeOf(read(NOW + USER_LINK_VALID_MS))).to.equal("LINK_INVALID");
    await store.changeUser(bob.id, { isActive: false }, NOW);
    expect(await codeOf(read(NOW))).to.equal("LINK_INVALID");
    expect(await codeOf(readLink(store, `${link.secret}x`, NOW))).to.equal("LINK_INVALID");
  });

  it("makes the first administrator, and no second one", async () => {
    const link = makeLink(null, NOW, FIRST_LINK_VALID_MS);
    await store.putLink(link);
    expect((await readLink(store, link.secret, NOW)).link.userId).to.equal(null);
    await add("ada");
    expect(await codeOf(readLink(store, link.secret, NOW))).to.equal("LINK_INVALID");
  });
});

describe("the check of a password", () => {
  const checks = new PasswordChecks({ ln: 4, r: 8, p: 1 });

  it("accepts the right one only", async () => {
    const stored = await checks.hash("correct horse battery");
    expect(await checks.verify("correct horse battery", stored)).to.deep.equal({ isRight: true });
    expect(await checks.verify("correct horse batterz", stored)).to.deep.equal({ isRight: false });
  });

  it("accepts none from a user without one, not even the dummy that is compared instead", async () => {
    for (const stored of [null, undefined])
      expect(await checks.verify("a password that no user has", stored)).to.deep.equal({ isRight: false });
  });

  it("rehashes one with other parameters", async () => {
    const older = await new PasswordChecks({ ln: 3, r: 8, p: 1 }).hash("correct horse battery");
    const { renewed = "" } = await checks.verify("correct horse battery", older);
    expect(renewed).to.match(/^\$scrypt\$ln=4,/);
  });
});
