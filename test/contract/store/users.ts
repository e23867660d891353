// What the store promises about users, their sessions and one-time links.

import { expect } from "chai";
import { AlreadyExists, type NewSession, type NewUser, type Store } from "../../../server/store/store.js";

const sampleUser = (changes: Partial<NewUser> = {}): NewUser => ({
  name: "ada",
  role: "operator",
  passwordHash: "$scrypt$…",
  createdAt: 1000,
  ...changes,
});

const sampleSession = (userId: number, changes: Partial<NewSession> = {}): NewSession => ({
  id: "11111111-1111-4111-8111-111111111111",
  userId,
  address: "192.168.1.7",
  client: "Firefox",
  createdAt: 1000,
  expiresAt: 9000,
  refreshHash: "a".repeat(64),
  refreshKey: "key",
  ...changes,
});

export function userContract(store: () => Store): void {
  it("adds users, finds them by id and name, and refuses duplicate names", async () => {
    const user = await store().addUser(sampleUser());
    expect(user).to.deep.include({ ...sampleUser(), isActive: true, updatedAt: 1000, lastLoginAt: null });
    expect(await store().findUser(user.id)).to.deep.equal(user);
    expect(await store().findUserByName("ada")).to.deep.equal(user);
    expect(await store().findUserByName("Ada")).to.equal(undefined);
    expect(await store().findUser(user.id + 1)).to.equal(undefined);
    const again = await store()
      .addUser(sampleUser())
      .catch((error: unknown) => error);
    expect(again).to.be.instanceOf(AlreadyExists);
    const bob = await store().addUser(sampleUser({ name: "bob", passwordHash: null }));
    expect(await store().listUsers({ limit: 1, offset: 1 })).to.deep.equal({ rows: [bob], totalCount: 2 });
  });

  it("changes the given fields of a user and nothing else", async () => {
    const user = await store().addUser(sampleUser());
    const changed = await store().changeUser(user.id, { role: "admin", lastLoginAt: 5000 }, 5000);
    expect(changed).to.deep.equal({ ...user, role: "admin", lastLoginAt: 5000, updatedAt: 5000 });
    const disabled = await store().changeUser(user.id, { isActive: false, passwordHash: null }, 6000);
    expect(disabled).to.deep.equal({ ...changed, isActive: false, passwordHash: null, updatedAt: 6000 });
    expect(await store().changeUser(user.id + 1, { role: "admin" }, 1)).to.equal(undefined);
  });

  it("counts active administrators", async () => {
    expect(await store().countAdmins()).to.equal(0);
    const ada = await store().addUser(sampleUser({ role: "admin" }));
    await store().addUser(sampleUser({ name: "bob" }));
    expect(await store().countAdmins()).to.equal(1);
    await store().changeUser(ada.id, { isActive: false }, 2);
    expect(await store().countAdmins()).to.equal(0);
  });

  it("keeps sessions and changes them", async () => {
    const user = await store().addUser(sampleUser());
    const session = await store().addSession(sampleSession(user.id));
    expect(session).to.deep.equal({
      ...sampleSession(user.id),
      lastUsedAt: 1000,
      nextHash: null,
      nextAt: null,
      endedAt: null,
      endReason: null,
    });
    expect(await store().findSession(session.id)).to.deep.equal(session);
    const changed = await store().changeSession(session.id, { nextHash: "b", nextAt: 2000 });
    expect(changed).to.deep.equal({ ...session, nextHash: "b", nextAt: 2000 });
    expect(await store().changeSession("none", { nextAt: 1 })).to.equal(undefined);
  });

  it("ends every session of one user but one, and lists those that remain", async () => {
    const ada = await store().addUser(sampleUser());
    const bob = await store().addUser(sampleUser({ name: "bob" }));
    const ids = ["1", "2", "3"];
    for (const id of ids) await store().addSession(sampleSession(ada.id, { id }));
    await store().addSession(sampleSession(bob.id, { id: "4" }));
    await store().changeSession("3", { lastUsedAt: 2000 });
    const listed = async (id: number, time = 2000) =>
      (await store().listSessions(id, time)).map((each) => each.id);
    expect(await listed(ada.id)).to.deep.equal(["3", "1", "2"]);
    await store().endSessions(ada.id, 3000, "over", "2");
    expect(await listed(ada.id)).to.deep.equal(["2"]);
    expect(await listed(bob.id)).to.deep.equal(["4"]);
    expect(await listed(bob.id, 9000)).to.deep.equal([]);
    expect(await store().findSession("1")).to.include({ endedAt: 3000, endReason: "over" });
    await store().removeSessions(9001);
    expect(await store().findSession("2")).to.equal(undefined);
  });

  it("keeps one link per user, and one for the first administrator", async () => {
    const user = await store().addUser(sampleUser());
    const link = { createdAt: 1, expiresAt: 2 };
    await store().putLink({ ...link, hash: "one", userId: user.id });
    await store().putLink({ ...link, hash: "two", userId: user.id });
    await store().putLink({ ...link, hash: "first", userId: null });
    expect(await store().findLink("one")).to.equal(undefined);
    expect(await store().findLink("two")).to.deep.equal({ ...link, hash: "two", userId: user.id });
    await store().removeLinks(null);
    expect(await store().findLink("first")).to.equal(undefined);
    await store().removeLinks(user.id);
    expect(await store().findLink("two")).to.equal(undefined);
  });
}
