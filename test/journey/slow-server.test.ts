// Kind: who sends little keeps the device busy. A slow server, or one that only pretends to be one, costs minutes.

import { expect } from "chai";
import type { HttpResponse } from "../../host-sim/network/http-host.js";
import { HOUR_MS, isCheck, isDigests, isImage, isReport, Odyssey, raw } from "./odyssey.js";

describe("from a server that sends little", () => {
  const odyssey = new Odyssey();
  afterEach(() => odyssey.close());

  // Kind: who sends little keeps the device busy.
  function* dribble(text: string): Iterable<string> {
    yield text;
    for (;;) yield "a";
  }
  const slow = (text: string, gapMs: number): HttpResponse => raw({ pieces: dribble(text), gapMs });
  const BODY = "HTTP/1.1 200 OK\r\ncontent-length: 600000\r\n\r\n";
  const slowDownloads: Readonly<Record<string, (honest: HttpResponse) => HttpResponse>> = {
    "a byte each 25 s": ({ body }) =>
      slow(`HTTP/1.1 200 OK\r\ncontent-length: ${body!.length}\r\n\r\n`, 25_000),
    "a byte each 100 ms": ({ body }) =>
      slow(`HTTP/1.1 200 OK\r\ncontent-length: ${body!.length}\r\n\r\n`, 100),
    "a head without an end": () => slow("HTTP/1.1 200 OK\r\nx-header: ", 1_000),
    "a status line without an end": () => slow("HTTP/1.1 2", 20_000),
    "interim answers without an end": () =>
      raw({ pieces: endless("HTTP/1.1 100 Continue\r\n\r\n"), gapMs: 5_000 }),
    "a chunk line without an end": () =>
      slow("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;", 1_000),
    "half a chunk, then nothing": ({ body }) =>
      raw({
        pieces: [`HTTP/1.1 200 OK\r\ncontent-length: ${body!.length}\r\n\r\n`, body!.subarray(0, 9_000)],
        end: "stay",
      }),
    "no answer at all": () => raw({ pieces: [], end: "stay" }),
  };
  function* endless(text: string): Iterable<string> {
    for (;;) yield text;
  }
  for (const [what, answer] of Object.entries(slowDownloads))
    it(`a download of ${what} ends within minutes, is reported, and checks go on`, async () => {
      await odyssey.start(async (request, honest) => (isImage(request) ? answer(await honest()) : honest()));
      const { world } = odyssey.rig.desk;
      await world.runUntil(() => odyssey.hasReported("failed"), { limitMs: HOUR_MS });
      const failure = odyssey.rig.reports.find(({ status }) => status === "failed");
      expect(failure?.error_code, odyssey.rig.trace.slice(-9).join("\n")).match(
        /^(SERVER_STALLED|RESPONSE_MALFORMED)$/,
      );
      expect(world.nowMs).below(12 * 60_000);
      const { length } = odyssey.rig.checks;
      await world.runFor(HOUR_MS);
      expect(odyssey.rig.checks.length).above(length + 3);
      expect(odyssey.restarts).deep.equal([]);
    });

  for (const [what, isSlow] of [
    ["a check", isCheck],
    ["a page of digests", isDigests],
    ["a report", isReport],
  ] as const)
    for (const [how, answer] of [
      ["a byte each 10 s", () => slow(BODY, 10_000)],
      ["a head without an end", () => slow("HTTP/1.1 200 OK\r\nx: ", 100)],
      ["nothing", () => raw({ pieces: [], end: "stay" })],
    ] as const)
      it(`${what} that is answered by ${how} holds nothing up`, async () => {
        let count = 0;
        await odyssey.start(async (request, honest) =>
          isSlow(request) && ++count < 4 ? answer() : honest(),
        );
        await odyssey.until(() => odyssey.hasReported("success"));
        expect(odyssey.hasReported("success"), odyssey.rig.trace.slice(-9).join("\n")).equal(true);
        expect(odyssey.rig.desk.world.nowMs).below(20 * 60_000);
        expect(odyssey.restarts).deep.equal(["restart"]);
      });
});
