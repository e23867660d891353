// What an open network does to connections: slow bodies, readers that take nothing, more connections than there is room for.

import { readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import {
  type ConnectionLimits,
  Connections,
  type ConnectionsOptions,
  DEFAULT_CONNECTIONS,
} from "../../../server/runtime/connections.js";
import { TestServer } from "../test-server.js";

const LIMITS: ConnectionLimits = { ...DEFAULT_CONNECTIONS, sweepMs: 1_000_000 };
const TLS = "test/fixtures/tls/one";

interface Client {
  readonly socket: Socket;
  text: string;
  /** Everything received, once the connection has ended. */
  readonly over: Promise<string>;
  until(part: string): Promise<void>;
}

function watch(socket: Socket): Client {
  let look = () => {};
  const client: Client = {
    socket,
    text: "",
    over: new Promise((resolve) => socket.once("close", () => resolve(client.text))),
    until: (part) =>
      new Promise((resolve) => {
        look = () => client.text.includes(part) && resolve();
        look();
      }),
  };
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    client.text += chunk;
    look();
  });
  return client;
}

const head = (contentLength: number | undefined, method = "POST") =>
  `${method} / HTTP/1.1\r\nhost: a\r\n${contentLength === undefined ? "transfer-encoding: chunked" : `content-length: ${contentLength}`}\r\n\r\n`;

describe("connections", () => {
  let server: Server | undefined;
  let port: number;
  let connections: Connections;
  let nowMs: number;
  let refused: string[];
  let requestCount: number;
  let bytesRead: number;
  const clients: Client[] = [];

  beforeEach(() => {
    nowMs = 0;
    refused = [];
    requestCount = 0;
    bytesRead = 0;
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });

  /** Answers when it has read everything. */
  const readAll: RequestListener = (request, response) => {
    request.on("data", (chunk) => {
      bytesRead += chunk.length;
    });
    request.on("end", () => response.end("taken"));
  };
  const listen = async (
    limits: Partial<ConnectionLimits> = {},
    {
      listener = readAll,
      isProxy = () => false,
      tls = false,
    }: Partial<Pick<ConnectionsOptions, "isProxy">> & {
      readonly listener?: RequestListener;
      readonly tls?: boolean;
    } = {},
  ) => {
    connections = new Connections({
      limits: { ...LIMITS, ...limits },
      isProxy,
      onRefused: (why) => refused.push(why),
      now: () => nowMs,
    });
    const counted = connections.before((request, response) => {
      requestCount++;
      listener(request, response);
    });
    server = tls
      ? (createTlsServer(
          { cert: await readFile(`${TLS}.crt`), key: await readFile(`${TLS}.key`) },
          counted,
        ) as unknown as Server)
      : createServer(counted);
    connections.join(server);
    server.on("clientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  };
  const open = (tls = false): Client => {
    const to = { port, host: "127.0.0.1" };
    const client = watch(tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to));
    clients.push(client);
    return client;
  };
  const until = async (what: () => boolean) => {
    while (!what()) await new Promise(setImmediate);
  };
  const wait = (milliseconds: number) => {
    nowMs += milliseconds;
    connections.sweep();
  };

  describe("whose body arrives slowly", () => {
    for (const tls of [false, true])
      it(`end after seconds, if it is short, and get the reason${tls ? ", over TLS too" : ""}`, async () => {
        await listen({}, { tls });
        const client = open(tls);
        client.socket.write(`${head(400)}{`);
        await until(() => requestCount === 1 && bytesRead === 1);
        wait(0);
        wait(LIMITS.shortBodyMs - 1);
        expect(refused).to.deep.equal([]);
        wait(1);
        expect(await client.over)
          .to.match(/^HTTP\/1\.1 408 Request Timeout\r\n/)
          .and.to.contain("BODY_TOO_SLOW");
        expect(refused).to.deep.equal(["slow_body"]);
        await until(() => connections.count === 0);
      });

    for (const length of [16 * 1024 * 1024, undefined])
      it(`last for hours at the minimum rate, and end below it (${length ?? "no"} length)`, async () => {
        await listen();
        const client = open();
        client.socket.write(head(length));
        await until(() => requestCount === 1);
        wait(0);
        const { bodyWindowMs, minBytesPerSecond } = LIMITS;
        const part = Buffer.alloc((minBytesPerSecond * bodyWindowMs) / 1000, 0x20);
        const send = async (bytes: Buffer) => {
          const before = bytesRead;
          if (length === undefined) client.socket.write(`${bytes.length.toString(16)}\r\n`);
          client.socket.write(bytes);
          if (length === undefined) client.socket.write("\r\n");
          await until(() => bytesRead === before + bytes.length);
        };
        for (let window = 0; window < 240; window++) {
          await send(part);
          wait(bodyWindowMs);
        }
        expect(nowMs).to.be.at.least(2 * 60 * 60_000);
        expect(refused).to.deep.equal([]);
        await send(part.subarray(0, part.length / 2));
        wait(bodyWindowMs);
        expect(await client.over).to.contain("BODY_TOO_SLOW");
      });

    it("are not closed for what the server does not read", async () => {
      let goOn = () => {};
      const listener: RequestListener = (request, response) => {
        goOn = () => readAll(request, response);
      };
      await listen({}, { listener });
      const client = open();
      client.socket.write(head(1000) + "x".repeat(1000 - 1));
      await until(() => requestCount === 1);
      for (let turn = 0; turn < 10; turn++) wait(LIMITS.shortBodyMs);
      client.socket.write("x");
      goOn();
      await client.until("taken");
      expect(refused).to.deep.equal([]);
    });

    it("have no more time than for a short one once they were answered", async () => {
      await listen({}, { listener: (_request, response) => response.writeHead(401).end("no") });
      const client = open();
      client.socket.write(`${head(16_000_000)}x`);
      await client.until("no");
      wait(0);
      client.socket.write("x".repeat(4096));
      wait(LIMITS.shortBodyMs);
      expect(await client.over).not.to.contain("408");
      expect(refused).to.deep.equal(["slow_body"]);
    });

    it("start over with every request on the same connection", async () => {
      await listen();
      const client = open();
      for (let turn = 1; turn <= 3; turn++) {
        client.socket.write(`${head(2)}x`);
        await until(() => requestCount === turn);
        wait(0);
        wait(LIMITS.shortBodyMs - 1);
        client.text = "";
        client.socket.write("x");
        await client.until("taken");
      }
      for (let turn = 0; turn < 10; turn++) wait(LIMITS.bodyWindowMs);
      expect(refused, "it waits for its next request").to.deep.equal([]);
      expect(connections.count).to.equal(1);
    });
  });

  describe("whose answer is read slowly", () => {
    const SIZE = 32 * 1024 * 1024;
    const { idleMs, minBytesPerSecond } = LIMITS;
    const ask = async (listener: RequestListener, tls: boolean) => {
      await listen({}, { listener, tls });
      const client = open(tls);
      client.socket.pause();
      client.socket.write(head(0, "GET"));
      await until(() => requestCount === 1);
      // Everything that the network buffers has been sent.
      for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
      return client;
    };

    for (const tls of [false, true])
      it(`have minutes, and as long as what is pending takes at the minimum rate${tls ? ", over TLS too" : ""}`, async () => {
        const client = await ask((_request, response) => response.end(Buffer.alloc(SIZE)), tls);
        wait(0);
        wait(60 * 60_000);
        expect(refused).to.deep.equal([]);
        wait(idleMs + (SIZE / minBytesPerSecond) * 1000);
        expect(refused).to.deep.equal(["slow_reader"]);
        client.socket.resume();
        await client.over;
        await until(() => connections.count === 0);
      });

    it("end when hardly anything is read of a streamed answer", async () => {
      const listener: RequestListener = (_request, response) => {
        Readable.from(parts()).pipe(response);
      };
      async function* parts() {
        for (let sent = 0; sent < SIZE; sent += 65_536) yield Buffer.alloc(65_536);
      }
      await ask(listener, false);
      wait(0);
      wait(idleMs);
      expect(refused).to.deep.equal([]);
      wait(10 * 60_000);
      expect(refused).to.deep.equal(["slow_reader"]);
    });

    it("last as long as they read", async () => {
      let whole = Promise.resolve();
      const listener: RequestListener = (_request, response) => {
        whole = new Promise((resolve) => response.on("finish", resolve));
        response.end(Buffer.alloc(SIZE));
      };
      const client = await ask(listener, false);
      wait(0);
      wait(60 * 60_000);
      client.socket.resume();
      await whole;
      wait(60 * 60_000);
      wait(60 * 60_000);
      expect(refused).to.deep.equal([]);
    });

    it("last while they wait for the server, like live streams", async () => {
      await listen({}, { listener: (_request, response) => response.writeHead(200).write("open") });
      const client = open();
      client.socket.write(head(0, "GET"));
      await client.until("open");
      for (let turn = 0; turn < 100; turn++) wait(60 * 60_000);
      expect(refused).to.deep.equal([]);
    });
  });

  describe("of which there are too many", () => {
    const use = async (client: Client) => {
      client.text = "";
      client.socket.write(head(0, "GET"));
      await client.until("taken");
    };
    const busy = async () => {
      const client = open();
      const before = requestCount;
      client.socket.write(`${head(10)}x`);
      await until(() => requestCount === before + 1);
      return client;
    };

    for (const [which, limits] of [
      ["address", { maxCountEach: 3 }],
      ["all", { maxCount: 3 }],
    ] as const)
      it(`are refused, and counted (${which})`, async () => {
        await listen(limits);
        for (let count = 0; count < 3; count++) await busy();
        expect(await open().over).to.equal("");
        expect(refused).to.deep.equal([which]);
        expect(connections.count).to.equal(3);
        clients[0]?.socket.destroy();
        await until(() => connections.count === 2);
        await use(open());
      });

    for (const [which, limits] of [
      ["address", { maxCountEach: 3 }],
      ["all", { maxCount: 3 }],
    ] as const)
      for (const isSwept of [false, true])
        it(`make room by closing one that is idle (${which}${isSwept ? ", seen by a sweep" : ""})`, async () => {
          await listen(limits);
          await busy();
          const idle = open();
          await use(idle);
          await busy();
          if (isSwept) wait(0);
          await use(open());
          await idle.over;
          expect(refused).to.deep.equal([]);
        });

    it("make room for many that open at once", async () => {
      await listen({ maxCount: 20 });
      for (let count = 0; count < 20; count++) await use(open());
      await Promise.all([open(), open()].map((client) => use(client)));
      expect(refused).to.deep.equal([]);
    });

    it("may all belong to a trusted proxy", async () => {
      await listen({ maxCountEach: 1 }, { isProxy: (address) => address === "127.0.0.1" });
      for (let count = 0; count < 5; count++) await busy();
      expect(connections.count).to.equal(5);
    });

    it("are counted over TLS as without, and idle ones make room", async () => {
      await listen({ maxCountEach: 2 }, { tls: true });
      const idle = open(true);
      await use(idle);
      await use(open(true));
      await use(open(true));
      await idle.over;
      expect(refused).to.deep.equal([]);
      expect(connections.count).to.equal(2);
    });
  });

  describe("of a server", () => {
    let running: TestServer;
    afterEach(() => running.close());
    const start = async (limits: Partial<ConnectionLimits>) => {
      running = await TestServer.open({ connections: { ...DEFAULT_CONNECTIONS, ...limits } });
      await running.listen();
      server = undefined;
    };
    const dial = () => {
      const { port } = running.app.server.address() as AddressInfo;
      const client = watch(connect({ port, host: "127.0.0.1" }));
      clients.push(client);
      return client;
    };
    const metrics = async () => (await running.admin("GET", "/metrics")).body;

    it("end when a check's body does not arrive, or its head", async () => {
      await start({ shortBodyMs: 20, sweepMs: 10, headMs: 20 });
      const [check, register, nothing] = [dial(), dial(), dial()];
      const json = (path: string) =>
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n{`;
      check.socket.write(json("/api/ota/check"));
      register.socket.write(json("/api/devices/register"));
      expect(await check.over).to.contain("BODY_TOO_SLOW");
      expect(await register.over).to.contain("BODY_TOO_SLOW");
      expect(await nothing.over).to.match(/^HTTP\/1\.1 408 /);
      const text = await metrics();
      expect(text).to.contain('skyslot_connections_refused_total{reason="slow_body"} 2');
      expect(text).to.contain('skyslot_connections_refused_total{reason="slow_head"} 1');
      expect(text).to.match(/^skyslot_connections 0$/m);
    });

    it("end when a client reads nothing of its answer", async () => {
      await start({ idleMs: 50 });
      const size = 64 * 1024 * 1024;
      running.app.server.prependListener("request", (_request, response) => response.end(Buffer.alloc(size)));
      const client = dial();
      client.socket.pause();
      const over = new Promise<void>((resolve) =>
        running.app.server.once("connection", (socket) => socket.once("close", () => resolve())),
      );
      client.socket.write("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
      await over;
      client.socket.resume();
      expect((await client.over).length).to.be.below(size);
    });
  });
});
