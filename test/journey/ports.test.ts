// What anyone in the home network may send to the device's two ports: it neither restarts the device nor keeps it busy.

import { expect } from "chai";
import { PushBench } from "./push-bench.js";
import { PUSH_PORT } from "./pusher.js";
import { Stranger, type Visit } from "./stranger.js";

const PAGE_PORT = 80;
const PORTS = [PAGE_PORT, PUSH_PORT] as const;
const MAX_BODY_BYTES = 2048;
const TOKEN = "let-me-in-please";

describe("the ports of a device", () => {
  let bench: PushBench;
  let stranger: Stranger;
  beforeEach(async () => {
    bench = await PushBench.start({}, { pushToken: TOKEN });
    await bench.world.runFor(90_000); // its setup network is gone
    stranger = new Stranger(bench.rig.desk, () => bench.address);
  });
  afterEach(() => bench.close());

  const visit = (text: string, manner = {}) => stranger.visit(PAGE_PORT, text, manner);
  const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: ${bench.address}\r\n${more}\r\n`;
  const post = (path: string, body: string, more = "") =>
    `POST ${path} HTTP/1.1\r\nHost: ${bench.address}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

  /** It never restarted, and both of its ports are free. */
  async function expectUnharmed(): Promise<void> {
    expect((await visit(get("/api/version"))).status).equal(200);
    expect((await stranger.visit(PUSH_PORT, get("/update"))).status).equal(405);
    expect(bench.device.bootCount).equal(1);
    expect(bench.rig.events.filter(({ type }) => type === "restarted")).deep.equal([]);
  }

  const long: Readonly<Record<string, string>> = {
    "a URL of 20 KB": `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    "a header of 30 KB": `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${"a".repeat(30_000)}\r\n\r\n`,
    "2 000 small headers": `GET / HTTP/1.1\r\n${"a:b\r\n".repeat(2_000)}\r\n`,
    "60 KB without an end of a line": "a".repeat(60_000),
    "a token of 60 KB": `GET / HTTP/1.1\r\nAuthorization: Bearer ${"a".repeat(60_000)}\r\n\r\n`,
    "a release of 30 KB before the token": `POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(30_000)}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  };
  for (const [what, text] of Object.entries(long)) {
    it(`refuse ${what} as too long, and are free again`, async () => {
      for (const port of PORTS) {
        const { status, received, ending } = await stranger.visit(port, text);
        expect(status, received).equal(431);
        expect(received)
          .match(/connection: close\r\n/)
          .and.match(port === PUSH_PORT ? /\r\n\r\n(at most|X-Skyslot-Release has) .+\n$/ : /"message":"/);
        expect(ending).equal("closed by the device");
      }
      await expectUnharmed();
    });
  }

  it("answer a push of an old manifest with advice to sign again", async () => {
    const manifest = "a".repeat(5_926);
    const head = `POST /update HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 1500000\r\nX-Skyslot-Release: ${manifest}\r\n\r\n`;
    const { status, received } = await stranger.visit(PUSH_PORT, head);
    expect(status).equal(431);
    expect(received).match(/sign the release again/);
    await expectUnharmed();
  });

  it("read a head in whatever pieces it arrives", async () => {
    for (const pieceBytes of [1, 3, 100]) {
      const { status } = await visit(get("/api/version"), { pieceBytes, pauseMs: 1 });
      expect(status).equal(200);
    }
    expect((await stranger.visit(PUSH_PORT, get("/update"), { pieceBytes: 1, pauseMs: 1 })).status).equal(
      405,
    );
  });

  it("wait 10 and 30 seconds for a head, and no longer", async () => {
    for (const [port, limitMs] of [
      [PAGE_PORT, 10_000],
      [PUSH_PORT, 30_000],
    ] as const) {
      const begunMs = bench.world.nowMs;
      const slow = await stranger.visit(port, get("/").repeat(5), { pieceBytes: 1, pauseMs: 1_000 });
      expect(slow.endedMs - begunMs, `${port}`).within(limitMs, limitMs + 100);
      expect(slow.received).equal("");
      const silent = await stranger.visit(port, "");
      expect(silent.ending).equal("closed by the device");
    }
    await expectUnharmed();
  });

  it("close connections beyond 4 and 3 at once, and serve again when those are gone", async () => {
    for (const [port, count] of [
      [PAGE_PORT, 4],
      [PUSH_PORT, 3],
    ] as const) {
      const visits = Array.from({ length: 24 }, () => stranger.begin(port, "GET "));
      await bench.world.runFor(1_000);
      expect(visits.filter(({ isOver }) => !isOver).length, `${port}`).equal(count);
      for (const one of visits) if (!one.isOver) one.leave("abort");
      await bench.world.runFor(1_000);
    }
    await expectUnharmed();
  });

  it("discard what follows a head that is too long for five seconds, and no longer", async () => {
    for (const port of PORTS) {
      const begunMs = bench.world.nowMs;
      const endless = await stranger.visit(port, "a".repeat(10_000), { pieceBytes: 100, pauseMs: 200 });
      expect(endless.status).equal(431);
      expect(endless.endedMs - begunMs).within(5_000, 15_000);
    }
    await expectUnharmed();
  });

  for (const how of ["close", "abort"] as const) {
    it(`survive a client that disconnects (${how}) at any moment`, async () => {
      const requests: [number, string][] = [
        [PAGE_PORT, get("/")],
        [PAGE_PORT, post("/api/settings", JSON.stringify({ deviceName: "x".repeat(30) }))],
        [PUSH_PORT, post("/update", "z".repeat(2_000))],
        [PAGE_PORT, "a".repeat(5_000)],
      ];
      for (const [port, text] of requests) {
        for (let afterMs = 0; afterMs < 60; afterMs += 3) {
          const leaving = stranger.begin(port, text, { pieceBytes: 200, pauseMs: 1 });
          await bench.world.runFor(afterMs);
          if (!leaving.isOver) leaving.leave(how);
        }
        await bench.world.runFor(6_000);
      }
      await expectUnharmed();
    });
  }

  it("answer one request per connection, and drop a second one", async () => {
    const { received, ending } = await visit(get("/api/version") + get("/api/health"));
    expect(received.match(/HTTP\/1\.1 200/g)).length(1);
    expect(received).match(/connection: close\r\n/);
    expect(ending).equal("closed by the device");
  });

  it("read HTTP/1.0, and an absolute-form target", async () => {
    const old = await visit(`GET /api/version HTTP/1.0\r\nHost: ${bench.address}\r\n\r\n`);
    expect(old.status).equal(200);
    const absolute = await visit(
      `GET http://${bench.address}/api/version HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
    );
    expect(absolute.status).equal(200);
    const rebound = await visit(
      `GET http://evil.example/api/version HTTP/1.1\r\nHost: ${bench.address}\r\n\r\n`,
    );
    expect(rebound.status).equal(403);
  });

  it("answer HEAD as GET, without the body", async () => {
    const whole = await visit(get("/"));
    const head = await visit(get("/").replace("GET", "HEAD"));
    const [lines = "", body = ""] = whole.received.split("\r\n\r\n", 2);
    expect(head.received).equal(`${lines}\r\n\r\n`);
    expect(lines).include(`content-length: ${body.length}`);
    expect(body.length).above(5_000);
  });

  it("read bodies up to 2 048 bytes, and refuse a longer one before it arrives", async () => {
    const body = (sizeBytes: number) => `{"deviceName":"${"x".repeat(sizeBytes - 17)}"}`;
    const fits = await visit(post("/api/settings", body(MAX_BODY_BYTES)));
    expect(fits.received).match(/"code":"SETTING/);
    expect(fits.status).equal(400);
    const { status, received } = await visit(post("/api/settings", "").replace("Length: 0", "Length: 2049"));
    expect(received).match(/"code":"BODY_TOO_LONG"/);
    expect(status).equal(413);
    await expectUnharmed();
  });

  it("accept a body in pieces, and one that its sender announces first", async () => {
    const pieces = await visit(post("/api/settings", '{"deviceName":"Hall"}'), { pieceBytes: 1, pauseMs: 1 });
    expect(pieces.status).equal(200);
    const asked = stranger.begin(
      PAGE_PORT,
      post("/api/settings", "", "Expect: 100-continue\r\n").replace("Length: 0", "Length: 2"),
    );
    await bench.world.runFor(500);
    expect(asked.received).equal("HTTP/1.1 100 Continue\r\n\r\n");
    asked.socket.write(Buffer.from("{}"));
    await bench.world.runUntil(() => asked.isOver, { limitMs: 60_000 });
    expect(asked.status).equal(200);
    const large = await visit(
      post("/api/settings", "", "Expect: 100-continue\r\n").replace("Length: 0", "Length: 5000"),
    );
    expect(large.received).match(/^HTTP\/1\.1 413 /);
  });

  it("require the length of a body, exactly once", async () => {
    const chunked = (more: string) =>
      `POST /api/settings HTTP/1.1\r\nHost: ${bench.address}\r\nTransfer-Encoding: chunked\r\n${more}\r\n2\r\n{}\r\n0\r\n\r\n`;
    expect((await visit(chunked(""))).status).equal(411);
    expect((await visit(chunked("Content-Length: 2\r\n"))).status).equal(400);
    expect((await visit(post("/api/settings", "{}", "Content-Length: 3\r\n"))).status).equal(400);
    for (const length of ["-1", "1e3", "+2", "0x2", "2 2", ""]) {
      const { status } = await visit(post("/api/settings", "").replace("Length: 0", `Length: ${length}`));
      expect(status, `Content-Length: ${length}`).equal(400);
    }
    await expectUnharmed();
  });

  it("accept a push with its release before its token", async () => {
    const head = `POST /update HTTP/1.1\r\nHost: a\r\nX-Skyslot-Release: ${bench.release}\r\nContent-Length: ${bench.image.length}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
    const { received } = await stranger.visit(PUSH_PORT, head + Buffer.from(bench.image).toString("latin1"));
    expect(received).match(/\r\n\r\nOTA update successful/);
    await bench.expectValidated();
  });

  it("serve four slow readers of a page at once", async () => {
    const visits: Visit[] = Array.from({ length: 4 }, () => stranger.begin(PAGE_PORT, get("/")));
    await bench.world.runUntil(() => visits.every(({ isOver }) => isOver), { limitMs: 60_000 });
    for (const { received } of visits) expect(received).match(/<\/html>$/);
    await expectUnharmed();
  });
});
