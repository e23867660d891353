// A server on a socket, from its start to its end: how it handles pending requests, its limits, its certificate.

import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { makeCertificates, readServerNames } from "../../../server/runtime/certificates/private-ca.js";
import { shutDown } from "../../../server/runtime/shutdown.js";
import { Certificate } from "../../../server/runtime/tls.js";
import { type RunningServer, type ServerOptions, startServer } from "../../../server/start.js";

describe("the lifetime of a server", () => {
  let folder: string;
  let server: RunningServer | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-lifetime-"));
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (options: Partial<ServerOptions> = {}) => {
    server = await startServer({ dataDir: folder, port: 0, ...options });
    return server;
  };
  const port = () => Number(new URL(server?.url ?? "").port);
  /** A connection, and everything received on it so far. */
  const open = async () => {
    const socket = connectTcp(port(), "127.0.0.1");
    const seen = { text: "", isOver: false };
    let look = () => {};
    socket.on("data", (chunk) => {
      seen.text += chunk;
      look();
    });
    socket.on("error", () => {});
    const over = new Promise<void>((resolve) =>
      socket.once("close", () => {
        seen.isOver = true;
        look();
        resolve();
      }),
    );
    const until = (part: string) =>
      new Promise<void>((resolve, reject) => {
        look = () => {
          if (seen.text.includes(part)) resolve();
          else if (seen.isOver) reject(new Error(`closed before "${part}", after "${seen.text}"`));
        };
        look();
      });
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    return { socket, seen, over, until };
  };
  const BODY = JSON.stringify({
    device_id: "d",
    device_type: "base",
    current_version: "1.0.0",
    current_build: 0,
  });
  const HEAD = `POST /api/ota/check HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n`;
  /** The server has read the head of a request and waits for its body. */
  const begin = async (socket: Socket, head = HEAD) => {
    const begun = new Promise<void>((resolve) => server?.app.server.once("request", () => resolve()));
    socket.write(head);
    await begun;
  };

  it("finishes a request that has begun, and accepts no other", async () => {
    const { app } = await start();
    const { socket, seen, over } = await open();
    const idle = await open();
    await begin(socket);
    const closing = server?.close();
    await idle.over;
    expect(app.context.readiness.isClosing).to.equal(true);
    const late = connectTcp(port(), "127.0.0.1");
    await new Promise((resolve) => late.once("error", resolve));
    expect(seen.text).to.equal("");
    socket.write(BODY);
    await over;
    await closing;
    expect(seen.text)
      .to.match(/^HTTP\/1\.1 200 OK/)
      .and.to.include('"update_available":false');
  });

  it("refuses later requests on a connection that is still busy, and says so", async () => {
    await start();
    const { socket, seen, over } = await open();
    const idle = await open();
    // The body of this route is not read in advance: its answer does not yet include that the server is ending.
    await begin(socket, HEAD.replace("/check", "/status"));
    const closing = server?.close();
    await idle.over;
    socket.write(`${BODY}GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n`);
    await over;
    await closing;
    const [served, refused] = seen.text.split(/(?=HTTP\/1\.1 503)/);
    expect(served).to.match(/^HTTP\/1\.1 400 /);
    expect(refused)
      .to.match(/^connection: close\r$/im)
      .and.to.include('"SHUTTING_DOWN"');
  });

  it("closes what does not end within the limit", async () => {
    const { app } = await start();
    const { socket, over, seen } = await open();
    await begin(socket);
    await shutDown(app, app.context.readiness, { drainMs: 0, limitMs: 20 });
    await over;
    expect(seen.text).to.equal("");
  });

  it("does not wait for watchers", async () => {
    await start();
    const { socket, over, until } = await open();
    socket.write("GET /api/events/stream HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until("event: ready");
    await server?.close();
    await over;
  });

  it("drops watchers with their connection, also those whose answer is queued behind another", async () => {
    const { app } = await start();
    const { socket, over, until } = await open();
    const ask = "GET /api/events/stream HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const asked = new Promise<void>((resolve) => {
      let count = 0;
      app.server.on("request", () => {
        if (++count === 2) resolve();
      });
    });
    socket.write(ask + ask);
    await Promise.all([until("event: ready"), asked]);
    const watchers = async (count: number) => {
      for (let turn = 0; turn < 10_000 && app.context.live.watcherCount !== count; turn++)
        await new Promise(setImmediate);
      expect(app.context.live.watcherCount).to.equal(count);
    };
    await watchers(2);
    socket.destroy();
    await over;
    await watchers(0);
  });

  it("still answers while it drains, and says that it is not ready", async () => {
    const { app, url } = await start();
    const statuses: number[] = [];
    const pause = async () => {
      for (const path of ["/readyz", "/healthz"]) statuses.push((await fetch(url + path)).status);
    };
    const limits = { drainMs: 60_000, limitMs: 1000 };
    await shutDown(app, app.context.readiness, limits, pause);
    expect(statuses).to.deep.equal([503, 200]);
  });

  it("refuses heads that are too long", async () => {
    await start();
    const { socket, over, seen } = await open();
    socket.write(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(17_000)}\r\n\r\n`);
    await over;
    expect(seen.text).to.match(/^HTTP\/1\.1 431 /);
  });

  it("keeps a device's connection for its next request", async () => {
    await start();
    const { socket, until, seen } = await open();
    socket.write(HEAD + BODY);
    await until("update_available");
    const [, timeout] = /keep-alive: timeout=(\d+)/i.exec(seen.text) ?? [];
    expect(Number(timeout)).to.equal(75);
    seen.text = "";
    socket.write(HEAD + BODY);
    await until("update_available");
    socket.destroy();
  });

  describe("with a certificate", () => {
    const FIXTURES = "test/fixtures/tls";
    const files = () => ({ cert: join(folder, "tls.crt"), key: join(folder, "tls.key") });
    const put = async (name: string) => {
      await copyFile(join(FIXTURES, `${name}.crt`), files().cert);
      await copyFile(join(FIXTURES, `${name}.key`), files().key);
    };
    const subject = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: port(), host: "127.0.0.1", rejectUnauthorized: false }, () => {
          const { subject } = socket.getPeerCertificate();
          socket.destroy();
          resolve(String(subject.CN));
        });
        socket.on("error", reject);
      });

    it("speaks HTTPS, and shows a renewed certificate without a restart", async () => {
      await put("one");
      await start({ tls: files() });
      expect(server?.url).to.match(/^https:/);
      expect(await subject()).to.equal("one");
      await put("two");
      await server?.reloadCertificate();
      expect(await subject()).to.equal("two");
    });

    it("keeps the old one when the new one is broken", async () => {
      await put("one");
      await start({ tls: files() });
      await copyFile(join(FIXTURES, "two.crt"), files().cert);
      const error = await server?.reloadCertificate().then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error?.message).to.include("are no pair");
      expect(await subject()).to.equal("one");
      await writeFile(files().cert, "");
      expect(await subject()).to.equal("one");
    });

    it("notices when its files are changed, as `keys tls` does, once each time, also between the two files", async () => {
      const make = () =>
        makeCertificates({
          folder,
          names: readServerNames(["updates.home"], []),
          now: Date.now(),
          passphrase: () => Promise.reject(new Error("no passphrase is needed")),
        });
      const serial = () =>
        new Promise<string>((resolve, reject) => {
          const socket = connectTls({ port: port(), host: "127.0.0.1", rejectUnauthorized: false }, () => {
            const { serialNumber } = socket.getPeerCertificate();
            socket.destroy();
            resolve(serialNumber);
          });
          socket.on("error", reject);
        });
      const { server: tls } = await make();
      await start({ tls });
      const listening = server?.app.server as Server;
      const certificate = await Certificate.open(tls);
      const first = await serial();
      await certificate.renew(listening);
      expect(await serial(), "nothing has changed").to.equal(first);
      const key = await readFile(tls.key);
      await make();
      const nextKey = await readFile(tls.key);
      await writeFile(tls.key, key);
      const trouble = await certificate.renew(listening).catch((error: Error) => error.message);
      expect(trouble).to.include("are no pair");
      expect(await certificate.renew(listening), "said once").to.equal(undefined);
      expect(await serial()).to.equal(first);
      await writeFile(tls.key, nextKey);
      await certificate.renew(listening);
      expect(await serial()).not.to.equal(first);
    });

    it("does not start with files that do not match", async () => {
      await put("one");
      await copyFile(join(FIXTURES, "two.key"), files().key);
      const error = await start({ tls: files() }).then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error?.message).to.include("are no pair");
    });
  });
});
