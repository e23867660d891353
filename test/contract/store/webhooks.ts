import { expect } from "chai";
import type { NewDelivery, NewWebhook, Store } from "../../../server/store/store.js";
import { PAGE } from "./samples.js";

export const sampleWebhook = (changes: Partial<NewWebhook> = {}): NewWebhook => ({
  url: "https://example.com/hook",
  events: ["update.*", "device.registered"],
  secret: "whsec_c2VjcmV0",
  description: "",
  isActive: true,
  createdAt: 1000,
  ...changes,
});

export function webhookContract(store: () => Store): void {
  const queue = async (count: number, changes: Partial<NewDelivery> = {}) => {
    const { id: webhookId } = await store().addWebhook(sampleWebhook());
    for (let n = 0; n < count; n++) {
      await store().addDelivery({
        webhookId,
        messageId: `m${n}`,
        kind: "update.failed",
        body: "{}",
        createdAt: 2000 + n,
        ...changes,
      });
    }
    return webhookId;
  };

  it("keeps webhooks, changes them and removes them with their queue", async () => {
    const webhook = await store().addWebhook(sampleWebhook());
    expect(webhook).to.deep.equal({ ...sampleWebhook(), id: webhook.id, updatedAt: 1000 });
    const changed = await store().changeWebhook(webhook.id, { isActive: false, events: ["*"] }, 2000);
    expect(changed).to.deep.equal({ ...webhook, isActive: false, events: ["*"], updatedAt: 2000 });
    const other = await store().addWebhook(sampleWebhook({ url: "http://127.0.0.1/" }));
    expect(await store().listWebhooks()).to.deep.equal([changed, other]);
    await store().addDelivery({
      webhookId: webhook.id,
      messageId: "m",
      kind: "a.b",
      body: "{}",
      createdAt: 1,
    });
    await store().removeWebhook(webhook.id);
    await store().removeWebhook(webhook.id);
    expect(await store().findWebhook(webhook.id)).to.equal(undefined);
    expect((await store().listDeliveries({ webhookId: webhook.id }, PAGE)).totalCount).to.equal(0);
    expect(await store().changeWebhook(webhook.id, { isActive: true }, 1)).to.equal(undefined);
  });

  it("leases a due delivery to one server, and to no other before the lease ends", async () => {
    const webhookId = await queue(3);
    expect(await store().claimDeliveries(webhookId, 1999, 9000, 10)).to.deep.equal([]);
    const first = await store().claimDeliveries(webhookId, 5000, 9000, 2);
    expect(first.map(({ messageId, attemptCount, dueAt }) => [messageId, attemptCount, dueAt])).to.deep.equal(
      [
        ["m0", 1, 9000],
        ["m1", 1, 9000],
      ],
    );
    const second = await store().claimDeliveries(webhookId, 5000, 9000, 10);
    expect(second.map(({ messageId }) => messageId)).to.deep.equal(["m2"]);
    expect(await store().claimDeliveries(webhookId, 8999, 9999, 10)).to.deep.equal([]);
    const again = await store().claimDeliveries(webhookId, 9000, 12_000, 1);
    expect(again.map(({ messageId, attemptCount }) => [messageId, attemptCount])).to.deep.equal([["m0", 2]]);
  });

  it("gives concurrent callers different deliveries", async () => {
    const webhookId = await queue(40);
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => store().claimDeliveries(webhookId, 5000, 9000, 5)),
    );
    const later = await store().claimDeliveries(webhookId, 5000, 9000, 100);
    const ids = [...claims.flat(), ...later].map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length).and.to.equal(40);
  });

  it("ends an attempt only for the holder of its lease", async () => {
    const webhookId = await queue(1);
    const [claimed] = await store().claimDeliveries(webhookId, 5000, 6000, 1);
    const id = claimed?.id ?? 0;
    await store().claimDeliveries(webhookId, 6000, 7000, 1);
    const delivered = { state: "delivered", dueAt: 6500, statusCode: 204, error: null } as const;
    expect(await store().settleDelivery(id, 6000, delivered, 6500)).to.equal(undefined);
    expect(await store().settleDelivery(id, 7000, delivered, 6500)).to.deep.include({
      ...delivered,
      attemptCount: 2,
      updatedAt: 6500,
    });
    expect(await store().claimDeliveries(webhookId, 99_999, 100_000, 1)).to.deep.equal([]);
  });

  it("retries a delivery that was given up", async () => {
    const webhookId = await queue(1);
    const [claimed] = await store().claimDeliveries(webhookId, 5000, 6000, 1);
    const id = claimed?.id ?? 0;
    expect(await store().retryDelivery(id, 5500)).to.equal(undefined);
    await store().settleDelivery(
      id,
      6000,
      { state: "given_up", dueAt: 0, statusCode: 500, error: "500" },
      5600,
    );
    expect(await store().retryDelivery(id, 7000)).to.deep.include({
      state: "pending",
      attemptCount: 0,
      dueAt: 7000,
    });
    expect(await store().findDelivery(id)).to.deep.include({ state: "pending", statusCode: 500 });
  });

  it("drops the oldest of a queue that is too long, and removes old outcomes", async () => {
    const webhookId = await queue(6);
    const bounds = { maxPendingCount: 4, maxSettledCount: 1 };
    expect(await store().trimDeliveries(webhookId, bounds, 3000)).to.equal(2);
    expect(await store().trimDeliveries(webhookId, bounds, 3000)).to.equal(0);
    const { rows } = await store().listDeliveries({ webhookId }, PAGE);
    expect(rows.map(({ messageId, state }) => `${messageId} ${state}`)).to.deep.equal([
      "m5 pending",
      "m4 pending",
      "m3 pending",
      "m2 pending",
      "m1 dropped",
    ]);
    expect((await store().listDeliveries({ webhookId, state: "dropped" }, PAGE)).totalCount).to.equal(1);
    expect(await store().countDeliveries(webhookId)).to.deep.equal({
      pending: 4,
      delivered: 0,
      given_up: 0,
      dropped: 1,
    });
  });
}
