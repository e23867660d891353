// What the store promises about times that were stored while a clock was ahead.

import { expect } from "chai";
import { CLOCK_SKEW_MS } from "../../../server/store/clock.js";
import type { Store } from "../../../server/store/store.js";
import { sampleIdentity } from "./device-identities.js";
import { sampleNewRollout } from "./rollouts.js";
import { addAttempt, PAGE, sampleDevice } from "./samples.js";

const NOW = Date.UTC(2026, 10, 21);
/** What the clock showed while it was ahead. */
const AHEAD = NOW + 10 * 365 * 24 * 60 * 60_000;
const HOUR = 60 * 60_000;

export function clockContract(store: () => Store): void {
  describe("times that were stored while a clock was ahead", () => {
    it("of what has happened are now, and others stay", async () => {
      await store().putDevice(sampleDevice({ id: "ahead", firstSeen: NOW - HOUR, lastSeen: AHEAD }));
      const right = sampleDevice({ id: "right", firstSeen: NOW - HOUR, lastSeen: NOW - 5000 });
      const bit = sampleDevice({ id: "bit", firstSeen: NOW, lastSeen: NOW + CLOCK_SKEW_MS });
      for (const device of [right, bit]) await store().putDevice(device);
      expect(await store().pullBackTimes(NOW)).equal(1);
      expect(await store().findDevice("ahead")).include({ firstSeen: NOW - HOUR, lastSeen: NOW });
      expect(await store().findDevice("right")).deep.equal(right);
      expect(await store().findDevice("bit")).deep.equal(bit);
      expect(await store().pullBackTimes(NOW), "again").equal(0);
    });

    it("of who is known and vouched for are now, so that the next rollout counts a device", async () => {
      const identity = sampleIdentity({ typeSince: AHEAD, vouchedAt: AHEAD, createdAt: NOW - HOUR });
      await store().putIdentity(identity);
      await store().pullBackTimes(NOW);
      expect(await store().findIdentity(identity.deviceId)).deep.equal({
        ...identity,
        typeSince: NOW,
        vouchedAt: NOW,
      });
    });

    it("of attempts and rollouts are now, so that waits, soak and gates count from now", async () => {
      const attempt = await addAttempt(store());
      await store().changeUpdate(attempt.id, { status: "failed", errorCode: "ROLLED_BACK" }, AHEAD);
      const rollout = await store().addRollout(
        sampleNewRollout({
          firmwareId: attempt.firmwareId,
          startAt: AHEAD,
          stageSince: AHEAD,
          gatesSince: AHEAD,
          sizesAt: AHEAD,
          evaluatedAt: NOW - HOUR,
        }),
      );
      await store().pullBackTimes(NOW);
      const [failures] = await store().countFailures(attempt.deviceId);
      expect(failures).include({ lastFailedAt: NOW, lastRolledBackAt: NOW });
      expect(await store().findRollout(rollout.id)).include({
        stageSince: NOW,
        gatesSince: NOW,
        sizesAt: NOW,
        evaluatedAt: NOW - HOUR,
        // Somebody chose it.
        startAt: AHEAD,
      });
    });

    it("of leases are as long as a lease is from now", async () => {
      const { firmwareId, deviceId } = await addAttempt(store());
      const { id: rolloutId, leaseMs } = await store().addRollout(sampleNewRollout({ firmwareId }));
      const member = {
        rolloutId,
        firmwareId,
        stage: 0,
        fromVersion: "1.0.0",
        firstGivenAt: NOW - HOUR,
        lastGivenAt: NOW - HOUR,
        isUpdating: true,
        outcome: null,
        outcomeAt: null,
        errorCode: null,
      } as const;
      await store().putDevice(sampleDevice({ id: "other" }));
      await store().putMember({ ...member, deviceId, leaseUntil: AHEAD });
      await store().putMember({ ...member, deviceId: "other", leaseUntil: NOW + 1000, outcomeAt: AHEAD });
      await store().pullBackTimes(NOW);
      const { rows } = await store().listMembers({ rolloutId }, PAGE);
      expect(rows.map(({ leaseUntil, outcomeAt }) => [leaseUntil, outcomeAt])).deep.equal([
        [NOW + leaseMs, null],
        [NOW + 1000, NOW],
      ]);
    });

    it("of sessions, links, tokens, orders and deliveries keep their spans", async () => {
      const { id: userId } = await store().addUser({
        name: "ada",
        role: "admin",
        passwordHash: null,
        createdAt: NOW,
      });
      const session = {
        userId,
        address: "10.0.0.1",
        client: "Firefox",
        refreshHash: "a".repeat(64),
        refreshKey: "key",
      };
      await store().addSession({ ...session, id: "ahead", createdAt: AHEAD, expiresAt: AHEAD + HOUR });
      await store().addSession({ ...session, id: "right", createdAt: NOW - HOUR, expiresAt: NOW + HOUR });
      await store().putLink({ hash: "link", userId, createdAt: AHEAD, expiresAt: AHEAD + HOUR });
      const token = { userId, name: "ci", madeBy: null, scopes: ["read"], deviceTypes: null } as const;
      const made = { createdAt: AHEAD, expiresAt: AHEAD + 2 * HOUR };
      const { id: tokenId } = await store().addApiToken({ ...token, hash: "b".repeat(64), ...made });
      const { id: endlessId } = await store().addApiToken({
        ...token,
        hash: "c".repeat(64),
        createdAt: AHEAD,
        expiresAt: null,
      });
      await store().putDevice(sampleDevice());
      const order = { deviceId: "base-010203", kind: "restart", settings: null, orderedBy: "ada" } as const;
      const { id: orderId } = await store().addOrder({
        ...order,
        createdAt: AHEAD,
        expiresAt: AHEAD + HOUR,
      });
      const { id: webhookId } = await store().addWebhook({
        url: "https://example.com/hook",
        events: ["*"],
        secret: "whsec_c2VjcmV0",
        description: "",
        isActive: true,
        createdAt: NOW,
      });
      await store().addDelivery({ webhookId, messageId: "m", kind: "a.b", body: "{}", createdAt: AHEAD });

      await store().pullBackTimes(NOW);
      expect(await store().findSession("ahead")).include({
        createdAt: NOW,
        lastUsedAt: NOW,
        expiresAt: NOW + HOUR,
      });
      expect(await store().findSession("right")).include({ createdAt: NOW - HOUR, expiresAt: NOW + HOUR });
      expect(await store().findLink("link")).include({ createdAt: NOW, expiresAt: NOW + HOUR });
      expect(await store().findApiToken(tokenId)).include({ createdAt: NOW, expiresAt: NOW + 2 * HOUR });
      expect(await store().findApiToken(endlessId)).include({ createdAt: NOW, expiresAt: null });
      expect(await store().findOrder("base-010203", orderId)).include({
        createdAt: NOW,
        expiresAt: NOW + HOUR,
      });
      const [delivery] = (await store().listDeliveries({ webhookId }, PAGE)).rows;
      expect(delivery).include({ state: "pending", dueAt: NOW });
    });

    it("of samples of the fleet are removed: they would be the newest for years", async () => {
      await store().putDevice(sampleDevice());
      await store().sampleVersions(NOW - HOUR);
      await store().sampleVersions(AHEAD);
      await store().pullBackTimes(NOW);
      expect(await store().findLastSampleTime()).equal(NOW - HOUR);
    });

    it("of buckets of sign-ins are those of a bucket that is empty now", async () => {
      const size = { burst: 3, dropMs: 10_000 };
      for (let n = 0; n < 3; n++) await store().takeDrop("ada", size, AHEAD);
      expect(await store().takeDrop("ada", size, NOW)).equal(10_000);
      expect(await store().takeDrop("ada", size, NOW + 9_999)).equal(1);
      expect(await store().takeDrop("ada", size, NOW + 10_000)).equal(0);
    });

    it("do not keep deliveries waiting, nor what was seen of devices", async () => {
      const { id: webhookId } = await store().addWebhook({
        url: "https://example.com/hook",
        events: ["*"],
        secret: "whsec_c2VjcmV0",
        description: "",
        isActive: true,
        createdAt: NOW,
      });
      await store().addDelivery({ webhookId, messageId: "m", kind: "a.b", body: "{}", createdAt: AHEAD });
      expect(await store().claimDeliveries(webhookId, NOW, NOW + 5000, 1)).to.have.length(1);
      expect(await store().claimDeliveries(webhookId, NOW, NOW + 5000, 1)).deep.equal([]);

      await store().putDevice(sampleDevice({ lastSeen: AHEAD }), "key");
      const seen = { deviceId: "base-010203", noOpKey: "key", seenAt: NOW };
      const rest = { freeHeap: null, rssi: null, uptimeSeconds: null, readings: null };
      expect([...(await store().updateLastSeen([{ ...seen, ...rest }]))]).deep.equal(["base-010203"]);
      expect(await store().findDevice("base-010203")).include({ lastSeen: NOW });
    });

    it("make every device's next check a full one: what had expired by that clock has not", async () => {
      await store().putDevice(sampleDevice({ lastSeen: AHEAD }), "key");
      await store().pullBackTimes(NOW);
      const seen = { deviceId: "base-010203", noOpKey: "key", seenAt: NOW };
      const rest = { freeHeap: null, rssi: null, uptimeSeconds: null, readings: null };
      expect((await store().updateLastSeen([{ ...seen, ...rest }])).size).equal(0);
    });
  });
}
