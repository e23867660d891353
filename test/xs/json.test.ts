// Kind: JSON from anyone that fills XS's stack (nested values) or its heap (many small values): in bodies, in a server's answers, in the
// manifest of an offer, and in what is stored. JSON.parse restarted the chip at about 500 nested arrays.

import { expect } from "chai";
import { imageOf, writeJson } from "../journey/rig.js";
import { ChipBench, skipUnless32Bit } from "./chip-bench.js";

const TOKEN = "let-me-in-please";
const TIME = 1_795_000_000;

/** Values to stand where another is expected, by what is special about them. */
const VALUES: Readonly<Record<string, (sizeBytes: number) => string>> = {
  "nested arrays": (sizeBytes) => "[".repeat(sizeBytes / 2) + "]".repeat(sizeBytes / 2),
  "nested arrays without an end": (sizeBytes) => "[".repeat(sizeBytes),
  "nested objects": (sizeBytes) => `${'{"a":'.repeat(sizeBytes / 6)}0${"}".repeat(sizeBytes / 6)}`,
  "nested arrays and objects": (sizeBytes) =>
    `${'[{"":'.repeat(sizeBytes / 7)}0${"}]".repeat(sizeBytes / 7)}`,
  "seventeen arrays": () => "[".repeat(17) + "]".repeat(17),
  zeros: (sizeBytes) => `[${"0,".repeat(sizeBytes / 2 - 2)}0]`,
  "empty arrays": (sizeBytes) => `[${"[],".repeat(sizeBytes / 3 - 2)}[]]`,
  "brackets in a text": (sizeBytes) => `"${"[".repeat(sizeBytes - 2)}"`,
};

describe("JSON that fills a C3's stack or heap", () => {
  let bench: ChipBench;
  let answer = "";
  let answerCount = 0;
  before(async function () {
    skipUnless32Bit(this);
    bench = await ChipBench.start({
      image: await imageOf("base", "1.0.0", "esp32", { type: "base", pushToken: TOKEN }),
      lie: async (request, honest) => {
        if (request.path !== "/api/ota/check") return honest();
        answerCount++;
        return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(answer) };
      },
    });
    bench.offer(); // from now on the lie answers
  });
  after(() => bench?.close());
  afterEach(() => bench?.expectNoRestart());

  /** The device reads it, and asks again. */
  async function read(text: string): Promise<void> {
    answer = text;
    const before = answerCount;
    expect(await bench.until(() => answerCount >= before + 2)).equal(true);
  }

  const base64 = (text: string) => Buffer.from(text).toString("base64url");
  const manifest = (header: string, payload: string) =>
    `${base64(header)}.${base64(payload)}.${"A".repeat(86)}`;
  const offer = (release: string) =>
    JSON.stringify({
      update_available: true,
      time: TIME,
      firmware_id: 7,
      version: "1.1.0",
      build_number: 0,
      download_url: "/api/ota/download/7",
      release,
    });
  const HEADER = JSON.stringify({ alg: "ES256", typ: "skyslot-release", kid: "key" });

  for (const [what, make] of Object.entries(VALUES)) {
    it(`${what} in a body restart nothing`, async () => {
      for (const path of ["/api/join", "/api/settings", "/api/token", "/api/forget-network"]) {
        const body = `{"ssid":${make(1_900)}}`;
        const head = `Host: ${bench.address}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
        const { text } = await bench.send(80, `POST ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
        expect(text).match(/^HTTP\/1\.1 (200|40.) /);
      }
    });

    it(`${what} in a server's answer restart nothing`, async () => {
      await read(make(6_900));
      await read(`{"update_available":false,"time":${TIME},"more":${make(6_800)}}`);
      await read(`{"update_available":false,"time":${make(6_800)}}`);
      await read(
        `{"update_available":false,"time":${TIME},"orders":[{"id":1,"kind":"settings","settings":${make(6_700)}}]}`,
      );
    });

    it(`${what} in an offer's manifest restart nothing`, async () => {
      await read(offer(manifest(HEADER, make(3_600))));
      await read(offer(manifest(make(3_600), "{}")));
      await read(offer(manifest(HEADER, `{"format":2,"type":${make(3_600)}}`)));
    });

    it(`${what} in stored values restart nothing`, async () => {
      answer = writeJsonText({ update_available: false, time: TIME });
      const { device } = bench.rig.desk;
      for (const key of ["install", "order.restart", "server.token"]) {
        expect(device.machine?.nvs?.set("skyslot", key, "str", make(1_800)), key).equal("ESP_OK");
        device.powerOff();
        device.powerOn();
        const before = answerCount;
        expect(await bench.until(() => answerCount > before)).equal(true);
      }
    });
  }

  it("a list of networks in which arrays are nested counts as empty", async () => {
    const { device, world } = bench.rig.desk;
    for (const make of Object.values(VALUES)) {
      expect(device.machine?.nvs?.set("skyslot", "networks", "str", make(1_800))).equal("ESP_OK");
      device.powerOff();
      device.powerOn();
      await world.runFor(20_000);
    }
    bench.expectNoRestart();
  });
});

const writeJsonText = (value: object): string => Buffer.from(writeJson(value)).toString();
