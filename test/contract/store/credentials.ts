// What the store promises about API tokens and signing keys.

import { expect } from "chai";
import type { NewApiToken, Store } from "../../../server/store/store.js";

const sampleToken = (userId: number, changes: Partial<NewApiToken> = {}): NewApiToken => ({
  userId,
  name: "ci",
  hash: "a".repeat(64),
  madeBy: "ada",
  scopes: ["read", "releases:write"],
  deviceTypes: ["base", "led"],
  createdAt: 1000,
  expiresAt: null,
  ...changes,
});

export function credentialContract(store: () => Store): void {
  it("keeps API tokens, finds them by their hash and records their use and their revocation", async () => {
    const { id: userId } = await store().addUser({
      name: "ada",
      role: "admin",
      passwordHash: null,
      createdAt: 1,
    });
    const token = await store().addApiToken(sampleToken(userId));
    expect(token).to.deep.include({ ...sampleToken(userId), lastUsedAt: null, revokedAt: null });
    const other = await store().addApiToken(
      sampleToken(userId, { hash: "b".repeat(64), deviceTypes: null, expiresAt: 5 }),
    );
    expect(other.deviceTypes).to.equal(null);
    expect(await store().findApiToken(token.id)).to.deep.equal(token);
    expect(await store().findApiTokenByHash("a".repeat(64))).to.deep.equal(token);
    expect(await store().findApiTokenByHash("c".repeat(64))).to.equal(undefined);
    expect(await store().listApiTokens({ userId })).to.deep.equal([other, token]);
    expect(await store().listApiTokens({ userId: userId + 1 })).to.deep.equal([]);
    const used = await store().changeApiToken(token.id, { lastUsedAt: 2000 });
    expect(used).to.deep.equal({ ...token, lastUsedAt: 2000 });
    expect(await store().changeApiToken(token.id, { revokedAt: 3000 })).to.deep.equal({
      ...used,
      revokedAt: 3000,
    });
  });

  it("lists signing keys, newest first, and forgets old ones", async () => {
    await store().addSigningKey({ kid: "old", privateKey: "{}", createdAt: 1000 });
    await store().addSigningKey({ kid: "new", privateKey: "{}", createdAt: 2000 });
    expect((await store().listSigningKeys()).map(({ kid }) => kid)).to.deep.equal(["new", "old"]);
    await store().removeSigningKeys(2000);
    expect(await store().listSigningKeys()).to.deep.equal([
      { kid: "new", privateKey: "{}", createdAt: 2000 },
    ]);
  });
}
