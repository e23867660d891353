// Kind: texts from outside that become names of properties. The chip's XS keeps such a name for good, so 40 requests for as many paths of
// 1 500 characters, which need no token, restarted a device; and so would answers of a server whose members are named anew each time.

import { expect } from "chai";
import { imageOf, writeJson } from "../journey/rig.js";
import { ChipBench, skipUnless32Bit } from "./chip-bench.js";

const TOKEN = "let-me-in-please";
const ROUNDS = 12;
/** Less than one name takes: 16 bytes, and its characters. */
const MAX_GROWTH_BYTES = 256;

describe("names from outside, in the heap of a C3", () => {
  let bench: ChipBench;
  let answers = 0;
  before(async function () {
    skipUnless32Bit(this);
    bench = await ChipBench.start({
      image: await imageOf("base", "1.0.0", "esp32", { type: "base", pushToken: TOKEN }),
      lie: async (request, honest) => {
        if (request.path !== "/api/ota/check") return honest();
        const name = `n${++answers}`;
        const settings = { [`${name}s${"x".repeat(800)}`]: 1 };
        const body = {
          update_available: false,
          time: 1_795_000_000 + answers,
          [`${name}${"x".repeat(1_500)}`]: { [`${name}inner`]: 1 },
          orders: [{ id: answers, kind: "settings", settings }],
        };
        return { status: 200, headers: { "content-type": "application/json" }, body: writeJson(body) };
      },
    });
  });
  after(() => bench?.close());
  afterEach(() => bench?.expectNoRestart());

  /** Bytes that stay in the heap for `ROUNDS` rounds, after some whose memory is used again. */
  async function growth(round: (number: number) => Promise<unknown>): Promise<number> {
    for (let i = 0; i < ROUNDS; i++) await round(i);
    const { slotBytes, chunkBytes } = bench.bridge.collect();
    for (let i = 0; i < ROUNDS; i++) await round(ROUNDS + i);
    const after = bench.bridge.collect();
    return after.slotBytes + after.chunkBytes - slotBytes - chunkBytes;
  }

  const host = () => `Host: ${bench.address}`;
  const body = (text: string) =>
    `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  const owner = () => `${host()}\r\nAuthorization: Bearer ${TOKEN}`;
  const REQUESTS: Readonly<Record<string, (name: string) => string>> = {
    paths: (name) => `GET /${name}${"a".repeat(1_500)} HTTP/1.1\r\n${host()}\r\n\r\n`,
    "paths below /api": (name) => `GET /api/${name}${"a".repeat(800)} HTTP/1.1\r\n${host()}\r\n\r\n`,
    queries: (name) => `GET /api/version?${name}${"a".repeat(800)}=1 HTTP/1.1\r\n${host()}\r\n\r\n`,
    headers: (name) => `GET /api/version HTTP/1.1\r\n${host()}\r\n${name}${"a".repeat(800)}: 1\r\n\r\n`,
    methods: (name) =>
      `M${name.replaceAll(/\d/g, (digit) => "ABCDEFGHIJ"[Number(digit)]!)} / HTTP/1.1\r\n${host()}\r\n\r\n`,
    hosts: (name) => `GET / HTTP/1.1\r\nHost: ${name}${"a".repeat(200)}\r\n\r\n`,
    "types of content": (name) =>
      `POST /api/join HTTP/1.1\r\n${host()}\r\nContent-Type: ${name}${"a".repeat(200)}\r\nContent-Length: 2\r\n\r\n{}`,
    "members of JSON": (name) =>
      `POST /api/settings HTTP/1.1\r\n${owner()}\r\n${body(`{"${name}${"a".repeat(800)}":1}`)}`,
    "fields of a form": (name) =>
      `POST /api/join HTTP/1.1\r\n${host()}\r\n${body(`${name}${"a".repeat(800)}=1`)}`,
  };
  for (const [what, request] of Object.entries(REQUESTS)) {
    it(`are not kept: ${what}`, async () => {
      const bytes = await growth(async (number) => {
        const { text } = await bench.send(80, request(`n${number}x`));
        expect(text).match(/^HTTP\/1\.1 [2345]/);
      });
      expect(bytes).below(MAX_GROWTH_BYTES);
    });
  }

  it("are not kept: members of a server's answer, and settings of its orders", async () => {
    bench.offer(); // from now on the lie answers
    const bytes = await growth(async () => {
      const before = answers;
      await bench.until(() => answers > before);
    });
    expect(answers).least(2 * ROUNDS);
    expect(bytes).below(MAX_GROWTH_BYTES);
  });
});
