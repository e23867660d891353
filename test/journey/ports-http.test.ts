// What the device's two ports make of HTTP: its versions and methods, and the kind "a head whose parts contradict each other or are no
// numbers". One unauthenticated request with `Content-Length: -1` restarted the device while the SDK's server stood on port 80.

import { expect } from "chai";
import { PushBench } from "./push-bench.js";
import { PUSH_PORT } from "./pusher.js";
import { Stranger } from "./stranger.js";

const PAGE_PORT = 80;
const PORTS = [PAGE_PORT, PUSH_PORT] as const;
const TOKEN = "let-me-in-please";

describe("HTTP at the ports of a device", () => {
  let bench: PushBench;
  let stranger: Stranger;
  before(async () => {
    bench = await PushBench.start({}, { pushToken: TOKEN });
    await bench.world.runFor(90_000); // its setup network is gone
    stranger = new Stranger(bench.rig.desk, () => bench.address);
  });
  after(() => bench.close());
  afterEach(() => {
    expect(bench.device.bootCount).equal(1);
    expect(bench.rig.events.filter(({ type }) => type === "restarted")).deep.equal([]);
  });

  const host = () => `Host: ${bench.address}\r\n`;
  const page = (text: string) => stranger.visit(PAGE_PORT, text);

  const bad: Readonly<Record<string, string>> = {
    "a length below zero": "Content-Length: -1\r\n",
    "a length with a sign": "Content-Length: +5\r\n",
    "a list of lengths": "Content-Length: 5,5\r\n",
    "a length in hexadecimal digits": "Content-Length: 0x5\r\n",
    "a length with an exponent": "Content-Length: 1e3\r\n",
    "a length of 2^53": "Content-Length: 9007199254740992\r\n",
    "a length of 2^64": "Content-Length: 18446744073709551616\r\n",
    "a length that is a word": "Content-Length: abc\r\n",
    "an empty length": "Content-Length:\r\n",
    "a length with a blank in it": "Content-Length: 5 5\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n",
    "two equal lengths": "Content-Length: 5\r\nContent-Length: 5\r\n",
    "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two hosts": `Host: other\r\n`,
    "a header without a colon": "Content-Length\r\n",
    "a control character in a header": "Origin: \x01\r\n",
  };
  for (const [what, headers] of Object.entries(bad)) {
    it(`${what}: 400, and the connection is closed`, async () => {
      for (const port of PORTS)
        for (const method of ["GET", "POST"]) {
          const text = `${method} /update HTTP/1.1\r\n${host()}Authorization: Bearer ${TOKEN}\r\n${headers}\r\n12345`;
          const { status, ending } = await stranger.visit(port, text);
          expect(status, `${method} ${port}`).equal(400);
          expect(ending).equal("closed by the device");
        }
    });
  }

  const versions: Readonly<Record<string, readonly [text: () => string, status: number]>> = {
    "HTTP/1.1 without a Host": [() => "GET / HTTP/1.1\r\n\r\n", 400],
    "HTTP/1.1 with an empty Host": [() => "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
    "the preface of HTTP/2": [() => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    "HTTP/2.0": [() => `GET / HTTP/2.0\r\n${host()}\r\n`, 400],
    "HTTP/0.9": [() => "GET /\r\n", 400],
    "a TLS greeting": [() => `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\x00\n".repeat(20)}`, 400],
    "chunks in HTTP/1.0": [() => "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  };
  for (const [what, [text, status]] of Object.entries(versions)) {
    it(`${what}: ${status}`, async () => {
      for (const port of PORTS) {
        const visit = await stranger.visit(port, text());
        expect(visit.status, `${port}`).equal(status);
        expect(visit.ending).equal("closed by the device");
      }
    });
  }

  it("HTTP/1.0 needs no Host, and the answer ends with the connection", async () => {
    for (const path of ["/", "/api/version"]) {
      const { status, received, ending } = await page(`GET ${path} HTTP/1.0\r\n\r\n`);
      expect(status, path).equal(200);
      expect(received)
        .match(/\r\nconnection: close\r\n/)
        .not.match(/transfer-encoding/);
      expect(ending).equal("closed by the device");
    }
    const kept = await page("GET /api/version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(kept.ending).equal("closed by the device");
    const { received } = await page("GET / HTTP/1.0\r\n\r\n");
    expect(received, "of a page that was asked for without a name").not.match(/http:\/\/:/);
  });

  it("HTTP/1.0 with a foreign Host, or from a page of another site, is refused", async () => {
    expect((await page("GET /api/version HTTP/1.0\r\nHost: evil.example\r\n\r\n")).status).equal(403);
    for (const origin of ["http://evil.example", "null"]) {
      const head = `POST /api/settings HTTP/1.0\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}`;
      expect((await page(`${head}\r\nContent-Length: 2\r\n\r\n{}`)).status, origin).equal(403);
    }
  });

  it("HEAD is answered like GET, without the body, whatever the path", async () => {
    for (const path of [
      "/",
      "/ota",
      "/api/version",
      "/api/health",
      "/api/settings",
      "/nothing",
      "/api/restart",
    ]) {
      const [get, head] = [
        await page(`GET ${path} HTTP/1.1\r\n${host()}\r\n`),
        await page(`HEAD ${path} HTTP/1.1\r\n${host()}\r\n`),
      ];
      const [lines = "", body = ""] = get.received.split("\r\n\r\n", 2);
      const changing = /"?(uptimeSeconds|freeHeapBytes|attendedSeconds)/;
      if (changing.test(body)) expect(head.received.split("\r\n")[0]).equal(lines.split("\r\n")[0]);
      else expect(head.received, path).equal(`${lines}\r\n\r\n`);
      expect(head.received.split("\r\n\r\n")[1], path).equal("");
      expect(head.received).match(/\r\ncontent-length: [1-9]/);
      expect(body.length, path).above(0);
    }
    const old = await page("HEAD / HTTP/1.0\r\n\r\n");
    expect(old.status).equal(200);
    expect(old.received.split("\r\n\r\n")[1]).equal("");
    const push = await stranger.visit(PUSH_PORT, `HEAD /update HTTP/1.1\r\n${host()}\r\n`);
    expect(push.received).match(/^HTTP\/1\.1 405 [\s\S]*\r\nallow: POST, OPTIONS\r\n[\s\S]*\r\n\r\n$/);
  });

  it("a method that a path does not have: 405, with those that it has", async () => {
    for (const [method, path, allow] of [
      ["OPTIONS", "/", "GET, HEAD"],
      ["OPTIONS", "/api/settings", "GET, HEAD, POST"],
      ["PUT", "/api/settings", "GET, HEAD, POST"],
      ["GET", "/api/restart", "POST"],
      ["DELETE", "/api/version", "GET, HEAD"],
      ["TRACE", "/", "GET, HEAD"],
      ["OPTIONS", "*", ""],
    ] as const) {
      const { status, received } = await page(`${method} ${path} HTTP/1.1\r\n${host()}\r\n`);
      expect(status, `${method} ${path}`).equal(405);
      expect(received).include(`\r\nallow: ${allow}\r\n`);
      expect(received).not.match(/access-control/);
    }
  });

  it("a method that HTTP does not know: 501", async () => {
    for (const method of ["FOO", "get", "M-SEARCH", "SUBSCRIBE"])
      for (const port of PORTS) {
        const { status } = await stranger.visit(port, `${method} /update HTTP/1.1\r\n${host()}\r\n`);
        expect(status, `${method} ${port}`).equal(501);
      }
  });

  it("a body in chunks: 411; in another coding: 501", async () => {
    for (const port of PORTS)
      for (const [coding, status] of [
        ["chunked", 411],
        ["gzip, chunked", 501],
        ["identity", 501],
      ] as const) {
        const head = `POST /update HTTP/1.1\r\n${host()}Authorization: Bearer ${TOKEN}\r\nTransfer-Encoding: ${coding}`;
        const visit = await stranger.visit(port, `${head}\r\n\r\n5\r\n12345\r\n0\r\n\r\n`);
        expect(visit.status, `${coding} ${port}`).equal(status);
        expect(visit.ending).equal("closed by the device");
      }
  });
});
