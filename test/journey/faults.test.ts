import { expect } from "chai";
import type { UpdateErrorCode } from "../../firmware/core/errors.js";
import type { HttpResponse } from "../../host-sim/network/http-host.js";
import type { LinkPolicy } from "../../host-sim/network/link-policy.js";
import {
  imageOf,
  type Lie,
  type Rig,
  readJson,
  rebuilt,
  releaseOf,
  START_TIME,
  setUpRig,
  writeJson,
} from "./rig.js";

const HOUR_MS = 3_600_000;

/** Replaces the release or the URL in an answer that offers an update. */
const offering =
  (changes: object | (() => Promise<object>)): Lie =>
  async ({ path }, honest) => {
    const answer = await honest();
    if (path !== "/api/ota/check" || answer.status !== 200) return answer;
    const body = readJson(answer.body!);
    if (!body.update_available) return answer;
    return {
      ...answer,
      body: writeJson({ ...body, ...(typeof changes === "function" ? await changes() : changes) }),
    };
  };

const downloading =
  (change: (answer: HttpResponse, range: string | undefined) => HttpResponse): Lie =>
  async (request, honest) => {
    const answer = await honest();
    return request.path.startsWith("/api/ota/download") ? change(answer, request.headers.range) : answer;
  };

/** Offers the release of another image, or one with other fields, correctly signed. */
const releaseWith = (changes: object) =>
  offering(async () => ({ release: await releaseOf(await imageOf("base", "1.1.0"), changes) }));

const flipped = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;

describe("an update that goes wrong", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** Runs until the device has reported a failure, and returns it. */
  async function failureOf(
    options: Parameters<typeof setUpRig>[0],
  ): Promise<{ code: string | undefined; message: string }> {
    rig = await setUpRig(options);
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => rig.reports.some(({ status }) => status === "failed"), {
      limitMs: HOUR_MS,
    });
    const failure = rig.reports.find(({ status }) => status === "failed");
    return { code: failure?.error_code, message: failure?.error_message ?? "" };
  }

  /** The old firmware runs, nothing else can be booted, and the server has the reason. */
  async function expectOldFirmware(code: UpdateErrorCode): Promise<void> {
    await rig.desk.world.runFor(5_000);
    expect(rig.desk.device.running?.label).equal("factory");
    expect(rig.desk.device.bootCount).equal(1);
    const [update] = await rig.server.updates();
    expect(update).include({ status: "failed", errorCode: code });
    rig.desk.device.powerOff();
    rig.desk.device.powerOn();
    await rig.desk.world.runFor(1_000);
    expect(rig.desk.device.running?.label).equal("factory");
  }

  const bytesWritten = () => rig.watch.slots.get("ota_0")?.bytesWritten ?? 0;

  const refusals: readonly (readonly [string, UpdateErrorCode, Lie])[] = [
    [
      "a wrong signature",
      "SIGNATURE_INVALID",
      offering(async () => {
        const release = await releaseOf(await imageOf("base", "1.1.0"));
        return { release: flipped(release, release.length - 20) };
      }),
    ],
    [
      "a payload changed after signing",
      "SIGNATURE_INVALID",
      offering(async () => {
        const image = await imageOf("base", "1.1.0");
        const [header, , signature] = (await releaseOf(image)).split(".");
        const [, payload] = (await releaseOf(image, { version: "9.9.9" })).split(".");
        return { release: `${header}.${payload}.${signature}` };
      }),
    ],
    [
      "a key that it does not trust",
      "KEY_UNKNOWN",
      offering(async () => {
        const release = await releaseOf(await imageOf("base", "1.1.0"));
        const header = Buffer.from(
          JSON.stringify({ alg: "ES256", typ: "skyslot-release", kid: "stranger" }),
        ).toString("base64url");
        return { release: `${header}.${release.split(".").slice(1).join(".")}` };
      }),
    ],
    ["something that is no manifest", "RELEASE_MALFORMED", offering({ release: "not.a.manifest" })],
    ["a wrong type", "WRONG_TYPE", releaseWith({ type: "led" })],
    ["a wrong chip", "WRONG_CHIP", releaseWith({ chip: "esp32c3" })],
    ["wrong hardware", "WRONG_HARDWARE", releaseWith({ hardware: "esp32-poe-iso" })],
    ["settings kept in another way", "NVS_MISMATCH", releaseWith({ nvs: "hmac5" })],
    ["too old a version", "NOT_NEWER", releaseWith({ version: "0.9.0" })],
    ["the version that runs", "NOT_NEWER", releaseWith({ version: "1.0.0" })],
    ["an expired manifest", "RELEASE_EXPIRED", releaseWith({ expires: START_TIME - 1 })],
    [
      "an intermediate release that is missing",
      "CURRENT_TOO_OLD",
      releaseWith({ minCurrentVersion: "1.0.5" }),
    ],
    [
      "an image larger than the slot",
      "IMAGE_TOO_LARGE",
      releaseWith({ size: 0x200001, chunkSize: 0x100000, chunks: Buffer.alloc(96).toString("base64url") }),
    ],
  ];

  for (const [what, code, lie] of refusals) {
    it(`with ${what} is refused before a byte is written`, async () => {
      expect((await failureOf({ lie })).code).equal(code);
      expect(bytesWritten()).equal(0);
      await expectOldFirmware(code);
    });
  }

  it("to an image that stores its settings in another way, without saying so in its manifest, writes nothing", async () => {
    const update = await rebuilt("1.1.0", { nvs: "encrypted" });
    const release = await releaseOf(update, { nvs: undefined } as object);
    const { code, message } = await failureOf({
      update,
      lie: offering({ release }),
      policyOf: () => ({ pieceBytesMax: 100 }),
    });
    expect(code).equal("NVS_MISMATCH");
    expect(message).equal(
      "image keeps its settings encrypted (eFuse KEY5), this firmware plain: they would be lost",
    );
    expect(bytesWritten()).equal(0);
    await expectOldFirmware("NVS_MISMATCH");
  });

  for (const [what, image, update] of [
    ["from one that does not declare its settings", null, "encrypted"],
    ["to one that does not declare its settings", "encrypted", null],
    ["between two that encrypt their settings", "encrypted", "encrypted"],
  ] as const)
    it(`${what} is installed`, async () => {
      rig = await setUpRig({
        image: await rebuilt("1.0.0", { nvs: image }),
        update: await rebuilt("1.1.0", { nvs: update }),
      });
      rig.desk.device.powerOn();
      await rig.desk.world.runUntil(() => rig.reports.some(({ status }) => status === "success"), {
        limitMs: HOUR_MS,
      });
      expect(rig.desk.device.running?.label).equal("ota_0");
    });

  it("with a body shorter than the image leaves the old firmware", async () => {
    const { code, message } = await failureOf({
      lie: downloading((answer) => ({ ...answer, body: answer.body!.subarray(0, 50_000) })),
    });
    expect(code).equal("BODY_TRUNCATED");
    expect(message).match(/announces 50000 bytes/);
    await expectOldFirmware("BODY_TRUNCATED");
  });

  it("with an image that is not what was signed leaves the old firmware", async () => {
    const { code, message } = await failureOf({
      lie: downloading((answer, range) => {
        const body = answer.body!.slice();
        body[30_000 - Number(/\d+/.exec(range ?? "")?.[0] ?? 0)]! ^= 1;
        return { ...answer, body };
      }),
    });
    expect(code).equal("CHUNK_MISMATCH");
    expect(message).match(/bytes 16384 to 32767 .* gave up after 5 tries/);
    await expectOldFirmware("CHUNK_MISMATCH");
  });

  it("with a 200 answer to a Range request fetches the whole image at once", async () => {
    let asked = 0;
    rig = await setUpRig({
      downloadPolicy: () => (asked === 0 ? { closeAfterBytes: 40_000 } : undefined),
      lie: async (request, honest) => {
        if (!request.headers.range) return honest();
        asked++;
        return rig.server.handle({ ...request, headers: { ...request.headers, range: "" } });
      },
    });
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => rig.reports.some(({ status }) => status === "success"), {
      limitMs: HOUR_MS,
    });
    expect(rig.trace.join("\n")).match(/answered 200 to a request for bytes 32768 to/);
    expect(rig.reports.filter(({ status }) => status === "failed")).deep.equal([]);
    expect(rig.desk.device.running?.label).equal("ota_0");
    expect(asked).equal(1);
  });

  const links: readonly (readonly [string, UpdateErrorCode, LinkPolicy, RegExp])[] = [
    [
      "a server that stalls",
      "SERVER_STALLED",
      { stallAfterBytes: 10_000 },
      /no byte for 30 s .* gave up after 5 tries/,
    ],
    [
      "a connection that always breaks at the start",
      "BODY_TRUNCATED",
      { closeAfterBytes: 2_000 },
      /gave up after 5 tries/,
    ],
    ["a server that cannot be reached", "CONNECT_FAILED", { refuse: true }, /gave up after 5 tries/],
  ];

  for (const [what, code, policy, expected] of links) {
    it(`with ${what} leaves the old firmware when the tries are used up`, async () => {
      const failure = await failureOf({ downloadPolicy: () => policy });
      expect(failure.message).match(expected);
      expect(failure.code).equal(code);
      await expectOldFirmware(code);
    });
  }
});
