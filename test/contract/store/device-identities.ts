// What the store promises about the identities of devices and who may register.

import { expect } from "chai";
import type { DeviceIdentity, Store } from "../../../server/store/store.js";

export const sampleIdentity = (changes: Partial<DeviceIdentity> = {}): DeviceIdentity => ({
  deviceId: "base-010203",
  deviceType: "base",
  typeSince: 1000,
  state: "pending",
  vouchedHow: "approval",
  vouchedBy: "ada",
  vouchedAt: 900,
  vouchedType: "base",
  tokenHash: null,
  issued: [{ hash: "b", at: 2 }],
  isRotating: true,
  intervalSeconds: 120,
  createdAt: 1000,
  updatedAt: 1000,
  ...changes,
});

export function deviceIdentityContract(store: () => Store): void {
  it("keeps one identity per device, with the time when it was first seen", async () => {
    await store().putIdentity(sampleIdentity());
    expect(await store().findIdentity("base-010203")).to.deep.equal(sampleIdentity());
    const later = sampleIdentity({
      state: "approved",
      tokenHash: "t",
      issued: [],
      isRotating: false,
      updatedAt: 2000,
    });
    await store().putIdentity({ ...later, createdAt: 2000 });
    expect(await store().findIdentity("base-010203")).to.deep.equal(later);
    expect(await store().findIdentity("base-1")).to.equal(undefined);
  });

  it("lists identities by their state and for a page of devices", async () => {
    const ids = ["c", "a", "b"];
    for (const deviceId of ids) await store().putIdentity(sampleIdentity({ deviceId }));
    await store().putIdentity(sampleIdentity({ deviceId: "b", state: "blocked" }));
    const page = { limit: 1, offset: 1 };
    expect(await store().listIdentities({ state: "pending" }, page)).to.deep.equal({
      rows: [sampleIdentity({ deviceId: "c" })],
      totalCount: 2,
    });
    const found = await store().findIdentities(["a", "b", "none"]);
    expect(found.map(({ deviceId }) => deviceId).sort()).to.deep.equal(["a", "b"]);
    expect(await store().findIdentities([])).to.deep.equal([]);
  });

  it("counts the approved devices that nobody vouched for as what they are, by type", async () => {
    const add = (deviceId: string, changes: Partial<DeviceIdentity>) =>
      store().putIdentity(sampleIdentity({ deviceId, state: "approved", ...changes }));
    await add("vouched", {});
    await add("moved", { vouchedType: "led" });
    await add("unknown", { vouchedType: null });
    await add("led", { vouchedType: null, deviceType: "led" });
    await add("waiting", { vouchedType: null, state: "pending" });
    expect([...(await store().countUnvouched())].sort()).to.deep.equal([
      ["base", 2],
      ["led", 1],
    ]);
  });

  it("keeps enrolment tokens and counts their use", async () => {
    const made = { name: "batch", hash: "h", deviceType: null, maxUseCount: 2, createdAt: 1, expiresAt: 9 };
    const token = await store().addEnrolmentToken(made);
    expect(token).to.deep.include({ ...made, useCount: 0, revokedAt: null });
    expect(await store().findEnrolmentToken("h")).to.deep.equal(token);
    expect(await store().findEnrolmentToken("g")).to.equal(undefined);
    const used = await store().changeEnrolmentToken(token.id, { useCount: 1 });
    expect(used).to.deep.equal({ ...token, useCount: 1 });
    await store().changeEnrolmentToken(token.id, { revokedAt: 5 });
    expect(await store().listEnrolmentTokens()).to.deep.equal([{ ...used, revokedAt: 5 }]);
  });

  it("keeps one registration policy per type", async () => {
    await store().putPolicy({ deviceType: "*", registration: "open", tokens: "first-use" });
    await store().putPolicy({ deviceType: "led", registration: "approval", tokens: "required" });
    await store().putPolicy({ deviceType: "led", registration: "enrolment", tokens: "optional" });
    expect(await store().listPolicies()).to.deep.equal([
      { deviceType: "*", registration: "open", tokens: "first-use" },
      { deviceType: "led", registration: "enrolment", tokens: "optional" },
    ]);
    const found = await store().findPolicies(["led", "base"]);
    expect(found).to.deep.equal([{ deviceType: "led", registration: "enrolment", tokens: "optional" }]);
    await store().removePolicy("led");
    expect(await store().listPolicies()).to.have.length(1);
  });
}
