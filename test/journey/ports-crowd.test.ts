// Clients that occupy a port without using it: idle, slow, silent, endless. The kind: whatever a client holds (a place, a turn, memory,
// time), another client can have it.

import { expect } from "chai";
import { PushBench } from "./push-bench.js";
import { PUSH_PORT } from "./pusher.js";
import { Stranger, type Visit } from "./stranger.js";

const PAGE_PORT = 80;
const TOKEN = "let-me-in-please";
/** An owner waits no longer for a page. */
const PATIENCE_MS = 2_500;
/** What may be on the way when a connection is reset: both windows. */
const ON_THE_WAY_BYTES = 32 * 1024;

describe("a crowd at the ports of a device", () => {
  let bench: PushBench;
  let stranger: Stranger;
  beforeEach(async () => {
    bench = await PushBench.start({}, { pushToken: TOKEN });
    await bench.world.runFor(90_000); // its setup network is gone
    stranger = new Stranger(bench.rig.desk, () => bench.address);
  });
  afterEach(async () => {
    expect(bench.device.bootCount).equal(1);
    expect(bench.rig.events.filter(({ type }) => type === "restarted")).deep.equal([]);
    await bench.close();
  });

  const page = () => `GET / HTTP/1.1\r\nHost: ${bench.address}\r\n\r\n`;
  const announced = (port: number) =>
    `POST /${port === PUSH_PORT ? "update" : "api/settings"} HTTP/1.1\r\nHost: ${bench.address}\r\nContent-Length: 2000\r\n`;

  /** The owner gets an answer, and how long that took. */
  async function served(port = PAGE_PORT): Promise<number> {
    const begunMs = bench.world.nowMs;
    const { status, received } = await stranger.visit(port, page());
    expect(status, received.slice(0, 100)).equal(port === PAGE_PORT ? 200 : 404);
    return bench.world.nowMs - begunMs;
  }

  const idlers: Readonly<Record<string, (port: number) => string>> = {
    "that send nothing": () => "",
    "that send the beginning of a head": () => "GET / HTTP/1.1\r\n",
    "whose head has no end": (port) => announced(port),
  };
  for (const port of [PAGE_PORT, PUSH_PORT]) {
    for (const [who, text] of Object.entries(idlers)) {
      for (const count of [4, 12]) {
        it(`of ${count} connections to ${port} ${who} lets its owner in`, async () => {
          const visits = Array.from({ length: count }, () => stranger.begin(port, text(port)));
          await bench.world.runFor(500);
          expect(visits.filter(({ isOver }) => !isOver).length).within(3, 4);
          expect(await served(port)).below(PATIENCE_MS);
          expect(visits[0]?.isOver, "the oldest made room").equal(true);
        });
      }
    }
  }

  it("of 4 senders of a body that never ends lets its owner in", async () => {
    for (let i = 0; i < 4; i++) stranger.begin(PAGE_PORT, `${announced(PAGE_PORT)}\r\n{`);
    await bench.world.runFor(500);
    expect(await served()).below(PATIENCE_MS);
  });

  it("of 4 clients that have an answer and do not close lets its owner in", async () => {
    const tooLong = `GET /${"a".repeat(3_000)} HTTP/1.1\r\n`;
    const visits = Array.from({ length: 4 }, () => stranger.begin(PAGE_PORT, tooLong));
    await bench.world.runFor(500);
    expect(visits.every(({ status }) => status === 431)).equal(true);
    expect(await served()).below(PATIENCE_MS);
  });

  it("keeps its places while they are used, and takes the one that is not", async () => {
    const idle = stranger.begin(PAGE_PORT, "");
    const slow: Visit[] = [1, 2, 3].map(() =>
      stranger.begin(PAGE_PORT, page(), { pieceBytes: 10, pauseMs: 50 }),
    );
    await bench.world.runFor(60);
    expect(await served()).below(PATIENCE_MS);
    expect(idle.isOver).equal(true);
    await bench.world.runUntil(() => slow.every(({ isOver }) => isOver), { limitMs: 20_000 });
    for (const { status } of slow) expect(status).equal(200);
  });

  it("of connections that are opened all the time lets its owner in", async () => {
    let isOn = true;
    const open = () => {
      if (!isOn) return;
      stranger.begin(PAGE_PORT, "GET /");
      bench.world.schedule(100, open);
    };
    open();
    for (let i = 0; i < 5; i++) {
      await bench.world.runFor(777);
      expect(await served()).below(PATIENCE_MS);
    }
    isOn = false;
  });

  it("on 3232 has its heads read one at a time, and none waits longer than a second for a slow one", async () => {
    const slow = stranger.begin(PUSH_PORT, announced(PUSH_PORT), { pieceBytes: 1, pauseMs: 100 });
    await bench.world.runFor(500);
    const begunMs = bench.world.nowMs;
    const other = await stranger.visit(PUSH_PORT, page());
    expect(other.status).equal(404);
    expect(other.endedMs - begunMs).within(900, PATIENCE_MS);
    expect(slow.isOver, "it made room").equal(true);
    const alone = await stranger.visit(PUSH_PORT, page(), { pieceBytes: 1, pauseMs: 100 });
    expect(alone.status, "there is time when no other waits").equal(404);
  });

  it("does not disturb a push", async () => {
    const head = `POST /update HTTP/1.1\r\nHost: a\r\nX-Skyslot-Release: ${bench.release}\r\nContent-Length: ${bench.image.length}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
    const push = stranger.begin(PUSH_PORT, head + Buffer.from(bench.image).toString("latin1"));
    await bench.world.runUntil(() => push.sentBytes > 50_000, { limitMs: 60_000 });
    for (let i = 0; i < 10 && !push.isOver; i++) {
      stranger.begin(PUSH_PORT, "POST /update HTTP/1.1\r\n");
      await bench.world.runFor(200);
    }
    await bench.world.runUntil(() => push.isOver, { limitMs: 600_000 });
    expect(push.received).match(/\r\n\r\nOTA update successful/);
  }).timeout(120_000);

  const endless: Readonly<Record<string, string>> = {
    "a header line of 10.7 MB": `GET / HTTP/1.1\r\nCookie: ${"a".repeat(10_700_000)}`,
    "a URL of 3 MB": `GET /${"a".repeat(3_000_000)}`,
    "a body of 3 MB that was not announced": `GET / HTTP/1.1\r\nHost: a\r\n\r\n${"a".repeat(3_000_000)}`,
    "100 000 requests": "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100_000),
    "chunks without an end": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${"5\r\n12345\r\n".repeat(300_000)}`,
  };
  for (const [what, text] of Object.entries(endless)) {
    it(`takes 64 KiB of ${what}, and no more`, async () => {
      for (const port of [PAGE_PORT, PUSH_PORT]) {
        const visit = await stranger.visit(port, text, { pieceBytes: 4096 });
        expect(visit.sentBytes, `${port}`).below(65_536 + ON_THE_WAY_BYTES);
      }
      await served();
    });
  }

  it("takes as much of a refused push as was announced, so that its sender reads the answer", async () => {
    const body = "z".repeat(1_500_000);
    const head = `POST /update HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nContent-Length: ${body.length}\r\n\r\n`;
    const refused = await stranger.visit(PUSH_PORT, head + body);
    expect(refused.status).equal(403);
    expect(refused.ending).equal("closed by the device");
    const huge = head.replace("1500000", "9999999999");
    const visit = await stranger.visit(PUSH_PORT, huge + "z".repeat(6_000_000), { pieceBytes: 4096 });
    expect(visit.sentBytes).below(4 * 1024 * 1024 + ON_THE_WAY_BYTES);
  });
});
