// What is answered in front of the routes, and what reaches them: over a real socket, with a store and routes that only record calls.

import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import { expect } from "chai";
import type { CheckRequest } from "../../../firmware/core/wire.js";
import { Live } from "../../../server/events/live.js";
import { type FastPath, NO_FAST_PATH, openFastPath } from "../../../server/fast-path/fast-path.js";
import { createMetrics, type Metrics } from "../../../server/runtime/metrics.js";
import type { RateTerms } from "../../../server/shared/rate.js";
import type { LastSeenUpdate, Store } from "../../../server/store/store.js";

const PATH = "/check";
const MAX_BODY_BYTES = 200;
const CHECK: CheckRequest = {
  device_id: "a",
  device_type: "base",
  current_version: "1.0.0",
  current_build: 0,
};
const BODY = JSON.stringify(CHECK);

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

class Stage {
  /** Keys in the store. */
  readonly keys = new Set<string>();
  readonly updates: LastSeenUpdate[] = [];
  /** What the routes received: the unread body, and how long the client has to wait. */
  readonly routed: { readonly body: string; readonly waitMs: number; readonly isTaken: boolean }[] = [];
  readonly metrics: Metrics;
  readonly fastPath: FastPath;
  readonly #server: Server;
  /** Whether the store answers. */
  storeGate: Promise<void> = Promise.resolve();

  constructor(deviceRate?: RateTerms) {
    const store = {
      updateLastSeen: async (updates: readonly LastSeenUpdate[]) => {
        await this.storeGate;
        this.updates.push(...updates);
        return new Set(
          updates.filter(({ noOpKey }) => this.keys.has(noOpKey)).map(({ deviceId }) => deviceId),
        );
      },
    } as unknown as Store;
    const live = new Live();
    const now = () => 5000;
    this.metrics = createMetrics(store, live, now, 1000);
    const schema = Type.Object({ device_id: Type.String({ pattern: "^[a-z]$" }) });
    this.fastPath = openFastPath({
      ...{ store, live, now, deviceRate, metrics: this.metrics, log: undefined },
      route: {
        path: PATH,
        maxBodyBytes: MAX_BODY_BYTES,
        schema,
        credentialIn: ({ authorization }) => authorization,
        describeAnswer: () => ({ update_available: false, time: 5 }),
      },
    });
    this.#server = createServer(
      this.fastPath.before(async (request, response) => {
        const isTaken = !(await this.fastPath.take(request, CHECK, "never known"));
        const body = request.readableEnded ? "" : await textOf(request);
        this.routed.push({ body, waitMs: this.fastPath.waitMsOf(request), isTaken });
        response.end("from the routes");
      }),
    );
  }

  async open(): Promise<this> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return this;
  }

  begin({ method = "POST", path = PATH, headers = {}, body = BODY }: Asked = {}) {
    const { port } = this.#server.address() as AddressInfo;
    const request = httpRequest({
      ...{ port, method, path, host: "127.0.0.1", agent: false },
      headers: {
        "content-type": "application/json",
        ...("transfer-encoding" in headers ? {} : { "content-length": `${Buffer.byteLength(body)}` }),
        ...headers,
      },
    });
    request.end(body);
    return request;
  }

  async ask(asked: Asked = {}) {
    const [response] = (await once(this.begin(asked), "response")) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
  }

  /** Stores the key of a check, as the full path does. */
  async leaveKey(check: CheckRequest = CHECK, credential?: string): Promise<void> {
    const key = this.fastPath.keyOf(check, credential);
    if (key !== undefined) this.keys.add(key);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) text += chunk;
  return text;
}

describe("the fast path", () => {
  let stage: Stage;
  const open = async (rate?: RateTerms) => {
    stage = await new Stage(rate).open();
    return stage;
  };
  afterEach(() => stage.close());

  it("answers a check whose key is known, in front of the routes", async () => {
    await open();
    await stage.leaveKey();
    const answer = await stage.ask({ headers: { "x-request-id": "mine" } });
    expect(answer).to.deep.include({ status: 200, text: '{"update_available":false,"time":5}' });
    expect(answer.headers).to.deep.include({
      "content-type": "application/json; charset=utf-8",
      "content-length": "35",
      "x-content-type-options": "nosniff",
      "x-request-id": "mine",
    });
    expect(stage.routed).to.deep.equal([]);
    expect(stage.updates.map(({ deviceId, seenAt }) => [deviceId, seenAt])).to.deep.equal([["a", 5000]]);
  });

  it("counts and times its answers like the routes", async () => {
    await open();
    await stage.leaveKey();
    await stage.ask();
    const text = await stage.metrics.registry.getSingleMetricAsString("skyslot_checks_total");
    expect(text).to.include('skyslot_checks_total{result="current"} 1');
    const times = await stage.metrics.registry.getSingleMetricAsString(
      "skyslot_http_request_duration_seconds",
    );
    expect(times).to.include(
      'skyslot_http_request_duration_seconds_count{method="POST",route="/check",status="200"} 1',
    );
  });

  it("leaves any other check to the routes, which do not query the store again", async () => {
    await open();
    expect((await stage.ask()).text).to.equal("from the routes");
    expect(stage.routed).to.deep.equal([{ body: "", waitMs: 0, isTaken: true }]);
    expect(stage.updates).to.have.length(1);
  });

  it("identifies a check by its credential too", async () => {
    await open();
    await stage.leaveKey(CHECK, "Bearer one");
    expect((await stage.ask()).text).to.equal("from the routes");
    expect((await stage.ask({ headers: { authorization: "Bearer two" } })).text).to.equal("from the routes");
    expect((await stage.ask({ headers: { authorization: "Bearer one" } })).text).to.include(
      "update_available",
    );
  });

  it("leaves invalid bodies to the routes, without querying the store", async () => {
    await open();
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '"a"',
      "{}",
      '{"device_id":"A"}',
      '{"device_id":["a"]}',
      "\xff",
    ]) {
      expect((await stage.ask({ body })).text, body).to.equal("from the routes");
    }
    // The routes' own take() queries, because nothing has examined these checks.
    expect(stage.updates.map(({ noOpKey }) => noOpKey)).to.deep.equal(Array(9).fill("never known"));
  });

  const unread: readonly (readonly [string, Asked])[] = [
    ["GET", { method: "GET", body: "" }],
    ["PUT", { method: "PUT" }],
    ["another path", { path: "/checks" }],
    ["a query", { path: `${PATH}?a=1` }],
    ["a parameter of the type", { headers: { "content-type": "application/json; charset=utf-8" } }],
    ["another type", { headers: { "content-type": "text/plain" } }],
    ["an encoding", { headers: { "content-encoding": "gzip" } }],
    ["no announced length", { headers: { "transfer-encoding": "chunked" } }],
    ["a body that is too long", { body: BODY.padEnd(MAX_BODY_BYTES + 1) }],
  ];
  for (const [what, asked] of unread)
    it(`does not read a request with ${what}`, async () => {
      await open();
      await stage.leaveKey();
      expect((await stage.ask(asked)).text).to.equal("from the routes");
      expect(stage.routed.map(({ body }) => body)).to.deep.equal([asked.body ?? BODY]);
      expect(stage.updates.map(({ noOpKey }) => noOpKey)).to.deep.equal(["never known"]);
    });

  it("reads a body of exactly the maximum length, in whatever pieces it arrives", async () => {
    await open();
    const body = BODY.padEnd(MAX_BODY_BYTES);
    await stage.leaveKey();
    expect((await stage.ask({ body })).text).to.include("update_available");
    const request = stage.begin({ headers: { "content-length": `${body.length}` }, body: body.slice(0, 50) });
    request.on("error", () => {});
    await sleep(20);
    request.socket?.write(body.slice(50));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(await textOf(response)).to.include("update_available");
  });

  it("passes the routes the time that a rate-limited client has to wait, by check and credential", async () => {
    await open({ burst: 2, perSecond: 1 });
    await stage.leaveKey();
    for (let count = 0; count < 2; count++)
      expect((await stage.ask()).text, `${count}`).to.include("update_available");
    expect((await stage.ask()).text).to.equal("from the routes");
    expect(stage.routed[0]?.waitMs).to.equal(1000);
    await stage.ask({ headers: { authorization: "Bearer other" } });
    expect(stage.routed[1]?.waitMs, "another credential").to.equal(0);
  });

  it("drops a client that disconnects before it is answered", async () => {
    await open();
    let openGate = () => {};
    stage.storeGate = new Promise((resolve) => {
      openGate = resolve;
    });
    const request = stage.begin();
    request.on("error", () => {});
    await sleep(50);
    request.destroy();
    await sleep(50);
    openGate();
    await sleep(50);
    expect(stage.updates).to.have.length(1);
    expect(stage.routed).to.deep.equal([]);
  });

  it("answers checks that come by other routes too", async () => {
    await open();
    const key = stage.fastPath.keyOf(CHECK, undefined);
    const request = {} as IncomingMessage;
    expect(await stage.fastPath.take(request, CHECK, key)).to.equal(false);
    await stage.leaveKey();
    expect(await stage.fastPath.take(request, CHECK, key)).to.equal(true);
    expect(stage.fastPath.waitMsOf(request)).to.equal(0);
  });

  it("answers nothing and leaves no key when it is switched off", async () => {
    await open();
    const routes = () => {};
    expect(NO_FAST_PATH.before(routes)).to.equal(routes);
    const none = {} as never;
    expect(NO_FAST_PATH.keyOf(CHECK, "skd_1")).to.equal(undefined);
    expect(await NO_FAST_PATH.take(none, CHECK, "key")).to.equal(false);
    expect(NO_FAST_PATH.waitMsOf(none)).to.equal(0);
  });
});
