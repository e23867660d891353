// Releases whose digests take more than one page, from the upload to the validated image.

import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { PowerCut } from "../../host-sim/hardware/flash/flash.js";
import type { HttpRequest } from "../../host-sim/network/http-host.js";
import { padded } from "./padded.js";
import { imageOf, type Lie, type Rig, type RigOptions, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
/** Of partitions/4mb.csv. */
const SLOT_BYTES = 0x1f0000;
const TABLE = fileURLToPath(new URL("../../partitions/4mb.csv", import.meta.url));

/** Firmware of exactly this size: a multiple of 16. */
async function imageOfSize(bytes: number): Promise<Uint8Array> {
  const base = await imageOf("base", "1.1.0");
  for (let less = 0; less < 1024; less++) {
    const image = padded(base, bytes - less);
    if (image.length === bytes) return image;
  }
  throw new Error(`there is no image of ${bytes} bytes`);
}

describe("a release with several pages of digests", function () {
  this.timeout(120_000);
  let rig: Rig;
  const requests: string[] = [];
  afterEach(() => rig.close());

  const noted = (lie: Lie): Lie => {
    requests.length = 0;
    return (request, honest) => {
      if (request.path.startsWith("/api/ota/download"))
        requests.push(
          [request.path.slice("/api/ota/download/".length), request.headers.range ?? ""].join(" ").trim(),
        );
      return lie(request, honest);
    };
  };
  const honestly: Lie = (_, honest) => honest();
  const start = async (bytes: number, lie: Lie = honestly, options: RigOptions = {}) => {
    rig = await setUpRig({ update: await imageOfSize(bytes), lie: noted(lie), ...options });
  };
  const validated = () =>
    rig.desk.world.runUntil(() => rig.reports.some(({ status }) => status === "success"), {
      limitMs: HOUR_MS,
    });

  it("fills a slot of a chip with 4 MB, and is requested page by page", async () => {
    await start(SLOT_BYTES, honestly, { partitions: TABLE });
    rig.desk.device.powerOn();
    expect(await validated()).equal(true);
    expect(rig.running()).equal("1.1.0 ota_1");
    expect(requests).deep.equal([
      "1/digests bytes=0-2047",
      `1 bytes=0-${MIB - 1}`,
      "1/digests bytes=2048-3967",
      `1 bytes=${MIB}-${SLOT_BYTES - 1}`,
    ]);
  });

  const SIZE = MIB + 160 * 1024;

  for (const [what, kind, offset, when] of [
    ["a write in the last sector but one of a page", "write", MIB - 8192, "after"],
    ["the first erase of the next page", "erase", MIB, "before"],
    ["the first erase of the next page", "erase", MIB, "after"],
    ["the first write of the next page", "write", MIB, "after"],
  ] as const) {
    it(`resumes where it was when power fails ${when} ${what}`, async () => {
      let cutCount = 0;
      await start(SIZE, honestly, {
        onEvent: ({ type }) => {
          if (type === "powerCut") rig.desk.world.schedule(1_500, () => rig.desk.device.powerOn());
        },
      });
      const { device } = rig.desk;
      device.powerOn();
      const slot = device.partitions.find(({ label }) => label === "ota_0");
      device.flash.onOperation = (operation, at) => {
        const isIt = operation.kind === kind && operation.offset === (slot?.offset ?? 0) + offset;
        if (cutCount > 0 || at !== when || !isIt) return;
        cutCount += 1;
        device.flash.cutPower();
        throw new PowerCut(what);
      };
      expect(await validated()).equal(true);
      expect(cutCount).equal(1);
      const again = requests.slice(requests.lastIndexOf("1/digests bytes=0-2047"));
      const isLastChunkThere = offset >= MIB || kind === "erase";
      expect(again).deep.equal([
        "1/digests bytes=0-2047",
        ...(isLastChunkThere ? [] : [`1 bytes=${MIB - 16_384}-${MIB - 1}`]),
        "1/digests bytes=2048-2367",
        `1 bytes=${MIB}-${SIZE - 1}`,
      ]);
    });
  }

  it("resumes where it was when the connection breaks between two pages and within one", async () => {
    const breaks: Readonly<Record<number, number>> = { 3: 200, 5: 50_000 };
    let count = 0;
    await start(SIZE, honestly, {
      downloadPolicy: () => {
        const closeAfterBytes = breaks[++count];
        return closeAfterBytes === undefined ? {} : { closeAfterBytes };
      },
    });
    rig.desk.device.powerOn();
    expect(await validated()).equal(true);
    expect(requests.slice(2)).deep.equal([
      "1/digests bytes=2048-2367",
      "1/digests bytes=2048-2367",
      `1 bytes=${MIB}-${SIZE - 1}`,
      `1 bytes=${MIB + 3 * 16_384}-${SIZE - 1}`,
    ]);
  });

  it("is fetched as a whole from a server that changes a page", async () => {
    await start(SIZE, async ({ path, headers }: HttpRequest, honest) => {
      const answer = await honest();
      if (!path.endsWith("/digests") || headers.range === "bytes=0-2047") return answer;
      const body = answer.body!.slice();
      body[40]! ^= 1;
      return { ...answer, body };
    });
    rig.desk.device.powerOn();
    expect(await validated()).equal(true);
    expect(requests.slice(2)).deep.equal([...Array(3).fill("1/digests bytes=2048-2367"), "1"]);
    expect(rig.desk.device.running?.label).equal("ota_0");
  });

  it("is fetched at once from a server without ranges, and checked as a whole", async () => {
    await start(SIZE, (request, honest) =>
      request.headers.range
        ? rig.server.handle({ ...request, headers: { ...request.headers, range: "" } })
        : honest(),
    );
    rig.desk.device.powerOn();
    expect(await validated()).equal(true);
    expect(requests).deep.equal(["1/digests bytes=0-2047", "1"]);
    expect(rig.desk.device.running?.label).equal("ota_0");
  });
});
