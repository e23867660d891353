// System D, images pushed over the local network: curl, a Python script and our command line against one device, one after the other.

import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { SECTOR_BYTES } from "../../host-sim/hardware/flash/flash.js";
import { extractBundle } from "../../host-sim/hardware/image/app-image.js";
import { CONFIG, LiveDevice, TOKEN } from "../journey/live-device.js";
import { imageOf, rebuilt, releaseOf } from "../journey/rig.js";
import { requireCurl } from "./seed.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = 80;
const PUSHES = 3232;
/** Offset of the slot in partitions/8mb.csv. */
const OTA_1 = 0x420000;

describe("system D", () => {
  let live: LiveDevice;
  before(async function () {
    requireCurl.call(this);
    const bundle = extractBundle(await imageOf("base", "1.0.0", "esp32", CONFIG))!;
    const image = await rebuilt("1.0.0", { bundle, date: "Nov 30 2026", time: "12:00:00" });
    live = await LiveDevice.start([PAGES, PUSHES], { image });
  });
  after(() => live?.close());

  /** An image with its manifest beside it, or without. */
  async function firmware(version: string, isSigned = true): Promise<string> {
    const bytes = await imageOf("base", version, "esp32", CONFIG);
    if (isSigned) live.file(`${version}.release.jws`, await releaseOf(bytes));
    return live.file(`${version}.bin`, bytes);
  }

  const curl = async (port: number, ...args: readonly string[]) => {
    const url = `http://127.0.0.1:${live.portOf(port)}`;
    return (
      await run("curl", ["-sS", "--noproxy", "*", ...args.map((arg) => arg.replace("http://device", url))])
    ).stdout;
  };
  const skyslotTo = (port: number, ...args: readonly string[]) =>
    run(process.execPath, [
      `${ROOT}bin/skyslot.js`,
      "push",
      "127.0.0.1",
      "--port",
      `${live.portOf(port)}`,
      ...args,
    ]);
  const skyslot = (...args: readonly string[]) => skyslotTo(PUSHES, ...args);
  const failure = (running: Promise<unknown>): Promise<string> =>
    running.then(
      () => "no failure",
      ({ stderr }: { readonly stderr: string }) => stderr,
    );

  it("tells version, build date and partitions to curl", async () => {
    const version = JSON.parse(await curl(PAGES, "http://device/api/version"));
    expect(version).to.include({
      version: "1.0.0",
      buildDate: "Nov 30 2026",
      buildTime: "12:00:00",
      idfVersion: "v6.0",
      slot: "factory",
    });
    expect(live.rig.trace.join("\n"))
      .to.match(/compiled Nov 30 2026 12:00:00, ESP-IDF v6\.0/)
      .and.match(/running factory \(factory\), boot partition factory/);
  });

  it("answers 401 without a token and 403 with a wrong one, on both ports, and keeps running", async () => {
    const image = await firmware("1.0.5");
    const status = (port: number, ...more: string[]) =>
      curl(
        port,
        ...["-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", ...more],
        ...["--data-binary", `@${image}`, "http://device/update"],
      );
    for (const port of [PAGES, PUSHES]) {
      expect(await status(port), `${port}`).to.equal("401");
      expect(await status(port, "-H", "Authorization: Bearer wrong"), `${port}`).to.equal("403");
    }
    expect(JSON.parse(await curl(PAGES, "http://device/api/version"))).to.include({ version: "1.0.0" });
  });

  it("pushes with the command line, with a progress bar, to a device that verifies it", async () => {
    const image = await firmware("1.1.0");
    const token = live.file("token", `${TOKEN}\n`);
    expect(await failure(skyslot(image))).to.match(/answers 401: .*--token-file/);
    expect(await failure(skyslot(image, "--token", "wrong one"))).to.include("made with another token");
    expect(await failure(skyslot(image, "--token", "wrong one", "--bearer"))).to.include(
      "not the push token",
    );
    expect(await failure(skyslot(image, "--token-file", token, "--unsigned"))).to.include(
      "unsigned local updates",
    );
    expect(await failure(skyslot(await firmware("1.0.9", false), "--token-file", token))).to.include(
      "skyslot release sign",
    );
    const { stdout, stderr } = await skyslot(image, "--token-file", token);
    expect(stdout).to.match(/^installed 1\.1\.0 in ota_0; the device restarts/);
    expect(stderr).to.match(/sent to 127\.0\.0\.1 100 %/);
    await live.until(() => live.isValidated("1.1.0 ota_0"));
  });

  it("pushes with the Python script", async function () {
    try {
      execFileSync("python3", ["--version"]);
    } catch {
      console.log("    skipped: python3 is not installed");
      this.skip();
    }
    const upload = async (...args: readonly string[]) =>
      run("python3", [
        `${ROOT}scripts/upload_ota.py`,
        "--host",
        "127.0.0.1",
        "--port",
        `${live.portOf(PUSHES)}`,
        ...args,
      ]);
    const image = await firmware("1.2.0");
    expect(await failure(upload(image))).to.include("answers 401: an answer to the challenge is missing");
    const other = live.file("other.bin", await imageOf("base", "1.2.0", "esp32c3", CONFIG));
    const wrong = upload(other, "--token", TOKEN, "--release", `${live.folder}/1.2.0.release.jws`);
    expect(await failure(wrong)).to.match(/answers 422/);
    const { stdout } = await upload(image, "--token", TOKEN);
    expect(stdout).to.equal("OTA update successful, rebooting...\n");
    await live.until(() => live.isValidated("1.2.0 ota_1"));
  });

  it("pushes signed images to port 80, with curl and with the command line", async () => {
    const image = await firmware("1.2.5");
    const bearer = ["-H", `Authorization: Bearer ${TOKEN}`];
    const release = readFileSync(`${live.folder}/1.2.5.release.jws`, "utf8");
    const push = (manifest: string) =>
      curl(
        PAGES,
        ...["-X", "POST", ...bearer, "-H", `X-Skyslot-Release: ${manifest}`],
        ...["--data-binary", `@${image}`, "http://device/update"],
      );
    const forged = `${release.slice(0, -9)}AAAAAAAAA`;
    expect(await push(forged)).to.match(/signature/);
    expect(await push(release)).to.equal("OTA update successful, rebooting...\n");
    await live.until(() => live.isValidated("1.2.5 ota_0"));
    const next = await firmware("1.2.6");
    const { stdout } = await skyslotTo(PAGES, next, "--token", TOKEN);
    expect(stdout).to.match(/^installed 1\.2\.6 in ota_1/);
    await live.until(() => live.isValidated("1.2.6 ota_1"));
  });

  it("pushes unsigned images with plain curl to either port, where the owner has allowed that", async () => {
    const image = await firmware("1.3.0", false);
    const bearer = ["-H", `Authorization: Bearer ${TOKEN}`];
    const push = (port: number) =>
      curl(port, "-X", "POST", ...bearer, "--data-binary", `@${image}`, "http://device/update");
    expect(await push(PAGES)).to.include("unsigned local updates are switched off");
    const settings = JSON.stringify({ acceptUnsigned: true });
    const asJson = ["-H", "Content-Type: application/json"];
    const saved = await curl(PAGES, ...bearer, ...asJson, "-d", settings, "http://device/api/settings");
    expect(JSON.parse(saved)).to.include({ acceptUnsigned: true });
    expect(await push(PAGES)).to.equal("OTA update successful, rebooting...\n");
    await live.until(() => live.isValidated("1.3.0 ota_0"));
  });

  it("answers 500 with the reason when its flash fails, keeps running, and takes the image once the flash works", async () => {
    const image = await firmware("1.4.0", false);
    const bearer = ["-H", `Authorization: Bearer ${TOKEN}`];
    const push = async (port: number, ...more: readonly string[]) => {
      const post = [...more, "-X", "POST", ...bearer, "--data-binary", `@${image}`];
      const answer = await curl(port, "-w", "%{http_code}", ...post, "http://device/update");
      return [answer.slice(0, -3).trim(), answer.slice(-3)] as const;
    };
    const { faults } = live.rig.desk.device.flash;
    const sector = OTA_1 / SECTOR_BYTES + 5;
    for (const [kind, reason] of [
      ["eraseError", /^erase of 65536 bytes at 0: .*failed/],
      ["programError", /^write of \d+ bytes at 20480: .*failed/],
    ] as const) {
      faults.set(sector, { kind });
      for (const port of [PAGES, PUSHES]) {
        const [message, status] = await push(port);
        expect([status, kind]).to.deep.equal(["500", kind]);
        expect(message).to.match(reason);
        const [json, sameStatus] = await push(port, "-H", "Accept: application/json");
        expect(sameStatus).to.equal("500");
        const answer = JSON.parse(json) as { readonly message: string };
        expect(answer).to.include({ ok: false });
        expect(answer.message).to.match(reason);
      }
    }
    expect(JSON.parse(await curl(PAGES, "http://device/api/version"))).to.include({ version: "1.3.0" });
    faults.set(sector, undefined);
    expect(await push(PAGES)).to.deep.equal(["OTA update successful, rebooting...", "200"]);
    await live.until(() => live.isValidated("1.4.0 ota_1"));
  });
});
