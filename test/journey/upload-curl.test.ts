// The real curl uploads an image to a virtual device and installs it by a second request, over real sockets: as a form, as it is, and with a
// power cut in between. One device, one test after the other.

import { execFile, spawnSync } from "node:child_process";
import { expect } from "chai";
import { CONFIG, LiveDevice, TOKEN } from "./live-device.js";
import { PUSH_PORT } from "./pusher.js";
import { imageOf, releaseOf } from "./rig.js";

const PAGE_PORT = 80;

describe("curl uploads and installs", function () {
  this.timeout(120_000);
  let live: LiveDevice;
  let bytes: Uint8Array;
  let image: string;
  let release: string;

  before(async function () {
    if (spawnSync("curl", ["--version"]).status !== 0) {
      process.stdout.write("    skipped: curl is not installed (apt-get install curl)\n");
      this.skip();
    }
    live = await LiveDevice.start([PAGE_PORT, PUSH_PORT]);
    bytes = await imageOf("base", "1.1.0", "esp32", CONFIG);
    image = live.file("image.bin", bytes);
    release = await releaseOf(bytes);
  });
  after(() => live?.close());

  /** The status and the body of the last answer. */
  function curl(port: number, path: string, ...more: readonly string[]): Promise<Record<string, unknown>> {
    const url = `http://127.0.0.1:${live.portOf(port)}${path}`;
    const token = ["--header", `Authorization: Bearer ${TOKEN}`];
    const parameters = ["--silent", "--noproxy", "*", "--max-time", "60", "--write-out", "\n%{http_code}"];
    return new Promise((resolve, reject) => {
      execFile("curl", [...parameters, ...token, ...more, url], (error, text) => {
        const end = text.lastIndexOf("\n");
        if (error && end < 0) return reject(error);
        resolve({ status: Number(text.slice(end)), ...JSON.parse(text.slice(0, end) || "{}") });
      });
    });
  }
  const json = (value: object) => [
    "--header",
    "Content-Type: application/json",
    "--data",
    JSON.stringify(value),
  ];
  const form = ["--form", `firmware=@${"image.bin"}`];
  const runsOld = () => expect(live.rig.desk.device.running?.label).equal("factory");

  it("nothing, where nothing was uploaded", async () => {
    expect(await curl(PAGE_PORT, "/api/ota/install", "--request", "POST")).include({
      status: 404,
      success: false,
      message: "No firmware uploaded",
    });
  });

  it("not without the release", async () => {
    form[1] = `firmware=@${image}`;
    const answer = await curl(PAGE_PORT, "/api/ota/upload", ...form);
    expect(answer).include({ status: 403, success: false });
  });

  it("a form on port 80, whose release was sent before it; it is staged, and the old firmware runs on", async () => {
    expect(await curl(PAGE_PORT, "/api/ota/release", ...json({ release }))).include({ status: 202 });
    const answer = await curl(PAGE_PORT, "/api/ota/upload", ...form);
    expect(answer).include({
      status: 200,
      success: true,
      size: bytes.length,
      version: "1.1.0",
      type: "base",
    });
    expect(answer.sha256).match(/^[0-9a-f]{64}$/);
    runsOld();
    expect((await curl(PAGE_PORT, "/api/version")).staged).include({ version: "1.1.0", size: bytes.length });
    expect(await curl(PAGE_PORT, "/api/rollback", ...json({}))).include({ status: 409, code: "STAGED" });
  });

  it("the file as it is with its release on port 3232, instead of the one before", async () => {
    const body = ["--header", `X-Skyslot-Release: ${release}`, "--data-binary", `@${image}`];
    expect(await curl(PUSH_PORT, "/api/ota/upload", ...body)).include({ status: 200, success: true });
    runsOld();
  });

  it("a form on port 3232, too", async () => {
    const header = ["--header", `X-Skyslot-Release: ${release}`];
    expect(await curl(PUSH_PORT, "/api/ota/upload", ...header, ...form)).include({
      status: 200,
      success: true,
    });
    runsOld();
  });

  it("what survives a power cut", async () => {
    const { device } = live.rig.desk;
    const checkCount = live.rig.checks.length;
    device.powerOff();
    device.powerOn();
    await live.until(() => live.rig.checks.length > checkCount);
    expect(live.rig.checks.at(-1))
      .property("staged_sha256")
      .match(/^[0-9a-f]{64}$/);
    runsOld();
    expect((await curl(PAGE_PORT, "/api/version")).staged).include({ version: "1.1.0" });
  });

  it("which then runs, after its trial", async () => {
    const answer = await curl(PAGE_PORT, "/api/ota/install", "--request", "POST");
    expect(answer).include({ status: 200, success: true, restartsInMs: 2_000 });
    await live.until(() => live.isValidated("1.1.0 ota_0"));
    expect((await curl(PAGE_PORT, "/api/version")).staged).equal(null);
    expect(live.rig.checks.at(-1)).not.property("staged_sha256");
  });
});
