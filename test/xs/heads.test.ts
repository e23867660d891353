// What anyone in the home network may send to the device's ports, in the heap of a C3: none of it may restart the device. Before heads were
// read line by line, a URL of 20 KB on port 80 and a head of 8 KB on 3232 did ("# Chunk allocation: failed for 8012 bytes").

import { expect } from "chai";
import { imageOf } from "../journey/rig.js";
import { ChipBench, padded, skipUnless32Bit } from "./chip-bench.js";

const PAGES = 80;
const PUSHES = 3232;
const TOKEN = "let-me-in-please";

const HEADS: Readonly<Record<string, string>> = {
  "a URL of 20 KB": `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  "a header of 10 KB": `POST /update HTTP/1.1\r\nCookie: ${"a".repeat(10_000)}\r\n\r\n`,
  "a header of 60 KB": `POST /update HTTP/1.1\r\nCookie: ${"a".repeat(60_000)}\r\n\r\n`,
  "a release of 8 KB": `POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(8_000)}\r\n\r\n`,
  "a release of 30 KB": `POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(30_000)}\r\n\r\n`,
  "2 000 small headers": `GET / HTTP/1.1\r\n${"a:b\r\n".repeat(2_000)}\r\n`,
  "30 KB without an end of a line": "a".repeat(30_000),
};

const BODIES: Readonly<Record<string, string>> = {
  "600 nested lists": `{"a":${"[".repeat(600)}`,
  "2 000 nested lists": `{"a":${"[".repeat(2_000)}`,
  "1 000 numbers": `{"a":[${"0,".repeat(1_000)}0]}`,
  "a text of 2 000 characters": `{"a":"${"x".repeat(2_000)}"}`,
};

describe("the ports of a device in a C3's heap", () => {
  let bench: ChipBench;
  before(async function () {
    skipUnless32Bit(this);
    const image = await imageOf("base", "1.0.0", "esp32", { type: "base", pushToken: TOKEN });
    const update = padded(await imageOf("base", "1.1.0", "esp32", { type: "base" }), 1_500_000);
    // half a minute for the update
    bench = await ChipBench.start({ image, update, policyOf: () => ({ bytesPerSecond: 50_000 }) });
  });
  after(() => bench?.close());
  afterEach(() => bench?.expectNoRestart());

  for (const [what, text] of Object.entries(HEADS)) {
    it(`refuse ${what}`, async () => {
      for (const port of [PAGES, PUSHES]) {
        const { text: answer, end } = await bench.send(port, text);
        expect(answer.slice(0, 12), `${port}`).equal("HTTP/1.1 431");
        expect(end).equal("closed");
      }
    });
  }

  for (const [what, body] of Object.entries(BODIES)) {
    it(`refuse a body of ${what} from any client`, async () => {
      const head = `Host: ${bench.address}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}`;
      const request = `POST /api/settings HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      expect((await bench.send(PAGES, request)).text).match(/^HTTP\/1\.1 (400|413|200) /);
    });
  }

  it("hold at most 23 KB of heads that are about to be complete", async () => {
    const { network, home, world } = bench.rig.desk;
    const crowd = network.addHost("crowd", `${home.segment.prefix}.201`);
    const idle = bench.bridge.collect();
    const used = ["Authorization", "Host", "Content-Type", "Origin", "Expect"]
      .map((name) => `${name}: ${"a".repeat(300)}\r\n`)
      .join("");
    const most = `POST /update HTTP/1.1\r\n${used}Cookie: ${"a".repeat(400)}`;
    const page = most.replace("POST /update", "GET /anything");
    const push = most.replace("\r\n", `\r\nX-Skyslot-Release: ${"a".repeat(1_536)}\r\n`);
    const heads = [push, page, page, page].map((text) => [PAGES, text] as const);
    const pushes = [push, push, push].map((text) => [PUSHES, text] as const);
    const sockets = [...heads, ...pushes].map(([port, text]) => {
      const socket = crowd.connect(bench.address, port);
      const head = Buffer.from(text);
      let position = 0;
      const send = () => {
        if (position >= head.length) return;
        socket.write(head.subarray(position, position + 40));
        position += 40;
        world.schedule(2, send);
      };
      socket.events = { connected: send };
      return socket;
    });
    await world.runFor(700);
    const held = bench.bridge.collect();
    const bytes = held.slotBytes + held.chunkBytes - idle.slotBytes - idle.chunkBytes;
    process.stdout.write(`      ${bytes} bytes of heads\n`);
    expect(bytes).within(10_000, 23 * 1024);
    for (const socket of sockets) socket.abort();
    await world.runFor(1_000);
    expect(bench.bridge.collect().slotBytes - idle.slotBytes, "nothing stays").below(128);
  });

  it("serve their pages after all that, 24 connections at once", async () => {
    const page = `GET / HTTP/1.1\r\nHost: ${bench.address}\r\n\r\n`;
    const answers = await Promise.all(Array.from({ length: 24 }, () => bench.send(PAGES, page)));
    expect(answers.filter(({ text }) => text.endsWith("</html>")).length).within(4, 24);
    expect((await bench.send(PAGES, page)).text).match(/^HTTP\/1\.1 200 [\s\S]*<\/html>$/);
  });

  it("refuse such heads while an update is streamed, which goes on", async () => {
    bench.offer();
    expect(await bench.until(() => bench.hasReported("verified"))).equal(true);
    for (const [what, port] of [
      ["a URL of 20 KB", PAGES],
      ["a header of 60 KB", PAGES],
      ["a release of 30 KB", PUSHES],
    ] as const)
      expect((await bench.send(port, HEADS[what]!)).text.slice(0, 12)).equal("HTTP/1.1 431");
    expect(bench.hasReported("armed")).equal(false);
    expect(await bench.until(() => bench.hasReported("armed"))).equal(true);
  });
});
