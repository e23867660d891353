// Whole updates from servers that refuse ranges, or answer them with something else, and from those that ask for patience.

import { expect } from "chai";
import type { HttpResponse } from "../../host-sim/network/http-host.js";
import { HOUR_MS, isCheck, isImage, noUpdate, Odyssey, raw } from "./odyssey.js";
import { START_TIME } from "./rig.js";

describe("from a server with wishes of its own", () => {
  const odyssey = new Odyssey();
  afterEach(() => odyssey.close());

  // Kind: the server asks for patience.
  const later = (ms: number) => new Date((START_TIME + ms / 1000) * 1000).toUTCString();
  for (const [what, status, headers] of [
    ["429 and seconds", 429, () => ({ "retry-after": "3600" })],
    [
      "503 and a date",
      503,
      (nowMs: number) => ({ date: later(nowMs), "retry-after": later(nowMs + HOUR_MS) }),
    ],
    ["302 and seconds", 302, () => ({ location: "/busy", "retry-after": "3600" })],
  ] as const)
    it(`no check comes for an hour after ${what}`, async () => {
      let count = 0;
      await odyssey.start(async (request, honest) => {
        if (!isCheck(request)) return honest();
        count += 1;
        return count === 1 ? { status, headers: headers(odyssey.rig.desk.world.nowMs) } : noUpdate();
      });
      await odyssey.until(() => count === 1);
      await odyssey.rig.desk.world.runFor(HOUR_MS - 1_000);
      expect(count).equal(1);
      await odyssey.rig.desk.world.runFor(HOUR_MS / 4);
      expect(count).above(1);
    });

  it("a file store that asks for half an hour delays the download, not the checks", async () => {
    const asked: number[] = [];
    await odyssey.start(async (request, honest) => {
      if (!isImage(request)) return honest();
      asked.push(odyssey.rig.desk.world.nowMs);
      return asked.length === 1 ? { status: 429, headers: { "retry-after": "1800" } } : honest();
    });
    await odyssey.expectUpdated();
    expect(asked[1]! - asked[0]!).within(1_800_000, 1_800_000 * 1.1 + 140_000);
    expect(odyssey.rig.checks.length).above(12);
  });

  // Kind: ranges that are refused or misanswered. The first download breaks off, the next one is a part.
  const NO_BODY = new Uint8Array();
  const wrongRanges: Readonly<Record<string, (honest: HttpResponse) => HttpResponse>> = {
    "416": () => ({ status: 416, headers: { "content-range": "bytes */1" }, body: NO_BODY }),
    "304": () => ({ status: 304 }),
    "412": () => ({ status: 412 }),
    "206 without a range": ({ body }) => ({ status: 206, body: body! }),
    "206 of another range": ({ body }) => ({
      status: 206,
      headers: { "content-range": "bytes 0-9/10" },
      body: body!,
    }),
    "multipart/byteranges": () => ({
      status: 206,
      headers: { "content-type": "multipart/byteranges; boundary=b" },
      body: new TextEncoder().encode("--b\r\ncontent-range: bytes 0-1/10\r\n\r\nab\r\n--b--"),
    }),
    "the wrong bytes under the right range": (honest) => ({
      ...honest,
      body: honest.body!.map((byte) => byte ^ 1),
    }),
    "nothing: the connection is reset": () => raw({ pieces: [], end: "reset" }),
    "nothing: the connection is closed": () => raw({ pieces: [] }),
    "500": () => ({ status: 500 }),
  };
  for (const [what, answer] of Object.entries(wrongRanges))
    it(`the whole image is fetched where a range is answered by ${what}`, async () => {
      let isFirst = true;
      let rangeCount = 0;
      await odyssey.start(async (request, honest) => {
        if (!isImage(request)) return honest();
        if (isFirst) {
          isFirst = false;
          const { body } = await honest();
          return raw({
            pieces: [`HTTP/1.1 200 OK\r\ncontent-length: ${body!.length}\r\n\r\n`, body!.subarray(0, 60_000)],
          });
        }
        if (!request.headers.range) return honest();
        rangeCount += 1;
        return answer(await honest());
      });
      await odyssey.expectUpdated();
      expect(rangeCount).within(1, 3);
      odyssey.expectNoFailure();
    });
});
