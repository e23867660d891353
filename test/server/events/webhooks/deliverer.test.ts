import type { lookup } from "node:dns";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { LEASE_MS, WebhookDeliverer } from "../../../../server/events/webhooks/deliverer.js";
import { createPost, type Post } from "../../../../server/events/webhooks/post.js";
import { MAX_ATTEMPT_COUNT } from "../../../../server/events/webhooks/schedule.js";
import { PAGE } from "../../../contract/store/samples.js";
import { TestServer } from "../../test-server.js";
import { verifyMessage } from "./receiver.js";

interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

describe("the delivery of webhooks", () => {
  let server: TestServer;
  let sent: Sent[];
  let answer: (sent: Sent) => number | Promise<number>;
  const outcomes: Record<string, number> = {};
  beforeEach(async () => {
    server = await TestServer.open();
    sent = [];
    answer = () => 204;
    for (const name of Object.keys(outcomes)) delete outcomes[name];
  });
  afterEach(() => server.close());

  const fakePost: Post = async (url, headers, body) => {
    sent.push({ url, headers, body });
    return { status: await answer({ url, headers, body }) };
  };
  const deliverer = (post: Post = fakePost) =>
    new WebhookDeliverer({
      store: server.store,
      live: server.app.context.live,
      now: () => server.nowMs,
      random: () => 0.5,
      post,
      onOutcome: (outcome, count) => {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      },
    });
  const add = async (body: object = {}) => {
    const response = await server.admin("POST", "/api/webhooks", {
      url: "https://example.com/hook",
      events: ["device.*"],
      ...body,
    });
    expect(response.statusCode, response.body).to.equal(201);
    return response.json() as { id: number; secret: string };
  };
  const deliveries = async (webhookId: number) =>
    (await server.store.listDeliveries({ webhookId }, PAGE)).rows;

  it("sends a subscribed event, signed, and records that", async () => {
    const { id, secret } = await add();
    await server.check();
    await deliverer().tick();
    expect(sent).to.have.length(1);
    const [{ url, headers, body }] = sent as [Sent];
    expect(url).to.equal("https://example.com/hook");
    expect(verifyMessage(secret, headers, body, server.nowMs)).to.equal(true);
    expect(JSON.parse(body)).to.deep.include({
      type: "device.registered",
      timestamp: new Date(server.nowMs).toISOString(),
    });
    expect(JSON.parse(body).data.device_id).to.equal("base-010203");
    expect(await deliveries(id)).to.have.length(1);
    expect((await deliveries(id))[0]).to.deep.include({
      state: "delivered",
      statusCode: 204,
      attemptCount: 1,
      error: null,
    });
    await deliverer().tick();
    expect(sent).to.have.length(1);
    expect(outcomes).to.deep.equal({ delivered: 1 });
  });

  it("queues no other events, and none of a transaction that was rolled back", async () => {
    const { id } = await add({ events: ["rollout.*"] });
    const { id: inactive } = await add({ events: ["*"], is_active: false });
    await server.check();
    expect(await deliveries(id)).to.deep.equal([]);
    expect(await deliveries(inactive)).to.deep.equal([]);
    const { id: all } = await add({ events: ["*"] });
    await server.status({ firmware_id: 99, status: "failed" });
    expect(await deliveries(all)).to.deep.equal([]);
  });

  it("retries with growing delays and the same id, and gives up visibly", async () => {
    const { id } = await add();
    answer = () => 503;
    await server.check();
    const worker = deliverer();
    for (let n = 1; n <= MAX_ATTEMPT_COUNT; n++) {
      await worker.tick();
      expect(sent, `attempt ${n}`).to.have.length(n);
      // Not before it is due.
      const [delivery] = await deliveries(id);
      if (delivery?.state === "pending") {
        server.nowMs = delivery.dueAt - 1;
        await worker.tick();
        expect(sent).to.have.length(n);
        server.nowMs = delivery.dueAt;
      }
    }
    expect(new Set(sent.map(({ headers }) => headers["webhook-id"])).size).to.equal(1);
    expect(new Set(sent.map(({ headers }) => headers["webhook-timestamp"])).size).to.equal(MAX_ATTEMPT_COUNT);
    expect((await deliveries(id))[0]).to.deep.include({
      state: "given_up",
      attemptCount: MAX_ATTEMPT_COUNT,
      statusCode: 503,
      error: "answered 503",
    });
    const { events } = (await server.admin("GET", "/api/events?kind=webhook.given_up")).json();
    expect(events[0].message).to.include("example.com").and.to.include("503");
    expect(outcomes).to.deep.equal({ failed: MAX_ATTEMPT_COUNT - 1, given_up: 1 });

    answer = () => 200;
    const delivery = (await deliveries(id))[0]!;
    await server.admin("POST", `/api/webhooks/${id}/deliveries/${delivery.id}/retry`);
    await worker.tick();
    expect((await deliveries(id))[0]?.state).to.equal("delivered");
  });

  it("does not treat a redirect as success, and stops at 410", async () => {
    const { id } = await add();
    answer = () => 302;
    await server.check();
    await deliverer().tick();
    expect((await deliveries(id))[0]).to.deep.include({ state: "pending", error: "answered 302" });
    answer = () => 410;
    server.nowMs += 10_000;
    await deliverer().tick();
    expect((await deliveries(id))[0]).to.deep.include({ state: "given_up", attemptCount: 2 });
  });

  it("is shared between servers, each delivery sent once", async () => {
    const { id } = await add();
    for (let n = 0; n < 30; n++) await server.check({ device_id: `base-${n}` });
    const workers = Array.from({ length: 4 }, () => deliverer());
    await Promise.all(workers.map((worker) => worker.tick()));
    await Promise.all(workers.map((worker) => worker.tick()));
    const ids = sent.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).to.equal(ids.length).and.to.equal(30);
    expect(await server.store.countDeliveries(id)).to.deep.include({ delivered: 30, pending: 0 });
  });

  it("takes over from a server that died while it delivered, when its lease has ended", async () => {
    await add();
    await server.check();
    let letGo = () => {};
    answer = () =>
      new Promise((resolve) => {
        letGo = () => resolve(204);
      });
    const dying = deliverer();
    const hanging = dying.tick();
    while (sent.length === 0) await new Promise(setImmediate);
    answer = () => 204;
    server.nowMs += LEASE_MS - 1;
    await deliverer().tick();
    expect(sent).to.have.length(1);
    server.nowMs += 1;
    await deliverer().tick();
    expect(sent).to.have.length(2);
    // The first comes back: what the second has written stays.
    letGo();
    await hanging;
    expect(outcomes).to.deep.equal({ delivered: 1 });
  });

  it("does not let a hanging webhook delay another", async () => {
    await add({ url: "https://slow.example.com/" });
    await add({ url: "https://quick.example.com/" });
    await server.check();
    let letGo = () => {};
    answer = ({ url }) =>
      url.includes("slow")
        ? new Promise((resolve) => {
            letGo = () => resolve(204);
          })
        : 204;
    const worker = deliverer();
    const first = worker.tick();
    while (sent.length < 2) await new Promise(setImmediate);
    await server.check({ device_id: "base-2" });
    await worker.tick();
    expect(sent.filter(({ url }) => url.includes("quick"))).to.have.length(2);
    expect(sent.filter(({ url }) => url.includes("slow"))).to.have.length(1);
    letGo();
    await first;
  });

  describe("by API", () => {
    it("returns the secret once, and a new one on request", async () => {
      const { id, secret } = await add();
      expect(secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const list = (await server.admin("GET", "/api/webhooks")).body;
      const one = (await server.admin("GET", `/api/webhooks/${id}`)).body;
      const patched = await server.admin("PATCH", `/api/webhooks/${id}`, { events: ["*"] });
      expect(list + one + patched.body)
        .to.include("example.com")
        .and.not.to.include(secret.slice(6));
      const rotated = await server.admin("PATCH", `/api/webhooks/${id}`, { rotate_secret: true });
      expect(rotated.json().secret)
        .to.match(/^whsec_/)
        .and.not.equal(secret);
      await server.check();
      await deliverer().tick();
      const [{ headers, body }] = sent as [Sent];
      expect(verifyMessage(rotated.json().secret, headers, body, server.nowMs)).to.equal(true);
    });

    it("sends a test, lists the deliveries, and removes them with the webhook", async () => {
      const { id } = await add({ events: ["rollout.paused"] });
      expect((await server.admin("POST", `/api/webhooks/${id}/test`)).statusCode).to.equal(202);
      await deliverer().tick();
      expect(sent).to.have.length(1);
      const list = await server.admin("GET", `/api/webhooks/${id}/deliveries?state=delivered`);
      expect(list.json()).to.deep.include({ total: 1 });
      expect(list.json().deliveries[0]).to.deep.include({ kind: "webhook.test", status_code: 204 });
      expect((await server.admin("GET", `/api/webhooks/${id}`)).json().deliveries).to.deep.include({
        delivered: 1,
      });
      expect((await server.admin("DELETE", `/api/webhooks/${id}`)).statusCode).to.equal(204);
      expect((await server.admin("GET", `/api/webhooks/${id}/deliveries`)).statusCode).to.equal(404);
    });

    it("refuses forbidden targets, and unknown webhooks", async () => {
      const refused = await server.admin("POST", "/api/webhooks", {
        url: "http://169.254.169.254/latest",
        events: ["*"],
      });
      expect([refused.statusCode, refused.json().error]).to.deep.equal([422, "TARGET_REFUSED"]);
      for (const body of [{}, { url: "https://a/", events: [] }, { url: "https://a/", events: ["A B"] }])
        expect((await server.admin("POST", "/api/webhooks", body)).statusCode).to.equal(400);
      expect((await server.admin("PATCH", "/api/webhooks/9", { is_active: false })).statusCode).to.equal(404);
      expect((await server.admin("POST", "/api/webhooks/9/deliveries/1/retry")).statusCode).to.equal(404);
      expect((await server.app.inject({ method: "POST", url: "/api/webhooks" })).statusCode).to.equal(401);
    });
  });

  describe("over a real connection", () => {
    let target: Server;
    let url: string;
    let received: { headers: IncomingHttpHeaders; body: string }[];
    let respond: (response: ServerResponse) => void;
    beforeEach(async () => {
      received = [];
      respond = (response) => response.writeHead(200).end("thanks");
      target = createServer(async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        received.push({ headers: request.headers, body });
        respond(response);
      });
      await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
      url = `http://localhost:${(target.address() as AddressInfo).port}/hook`;
    });
    afterEach(() => {
      target.closeAllConnections();
      target.close();
    });

    it("arrives with a signature over the received bytes", async () => {
      const { secret } = await add({ url });
      await server.check({ device_id: "base-9" });
      await deliverer(createPost({ timeoutMs: 5000 })).tick();
      expect(received).to.have.length(1);
      const [{ headers, body }] = received as [(typeof received)[0]];
      expect(headers["content-type"]).to.equal("application/json; charset=utf-8");
      expect(verifyMessage(secret, headers, body, server.nowMs)).to.equal(true);
      expect(verifyMessage(secret, headers, `${body} `, server.nowMs)).to.equal(false);
      expect(outcomes).to.deep.equal({ delivered: 1 });
    });

    it("follows no redirect", async () => {
      respond = (response) => response.writeHead(307, { location: "/elsewhere" }).end();
      const { id } = await add({ url });
      await server.check();
      await deliverer(createPost({ timeoutMs: 5000 })).tick();
      expect(received).to.have.length(1);
      expect((await deliveries(id))[0]?.error).to.equal("answered 307");
    });

    it("limits the time and the size of an answer", async () => {
      const { id } = await add({ url });
      respond = () => {};
      await server.check();
      await deliverer(createPost({ timeoutMs: 50 })).tick();
      expect((await deliveries(id))[0]?.error).to.equal("no answer within 50 ms");
      respond = (response) => {
        response.writeHead(200);
        const pour = () => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        };
        response.on("drain", pour);
        pour();
      };
      server.nowMs += 10_000;
      await deliverer(createPost({ timeoutMs: 5000 })).tick();
      expect((await deliveries(id))[0]?.state).to.equal("delivered");
    });

    it("goes to no name of which one address may not be spoken to, though it was another when it was added", async () => {
      const { id } = await add({ url: url.replace("localhost", "rebound.example") });
      await server.check();
      for (const addresses of [
        ["169.254.169.254"],
        ["127.0.0.1", "169.254.169.254"],
        ["127.0.0.1", "::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%lo"],
        ["2002:7f00:1::1"],
      ]) {
        const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
        const resolve = ((_host: string, _options: object, callback: (...found: unknown[]) => void) =>
          callback(null, found)) as unknown as typeof lookup;
        server.nowMs += 8 * 60 * 60_000;
        await deliverer(createPost({ timeoutMs: 5000, resolve })).tick();
        const refused = addresses.at(-1);
        expect((await deliveries(id)).at(-1)?.error, refused).to.match(new RegExp(`^${refused} is `));
      }
      expect(received).to.deep.equal([]);
    });

    it("reports why there is no answer", async () => {
      const { id } = await add({ url: "http://127.0.0.1:1/" });
      await server.check();
      await deliverer(createPost({ timeoutMs: 5000 })).tick();
      expect((await deliveries(id))[0]?.error).to.include("ECONNREFUSED");
    });
  });
});
