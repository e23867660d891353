// `skyslot push --list` against a device's own multicast DNS, in real multicast, in a network namespace of its own.

import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const HOUSE = path("multicast-house.ts");
const SKYSLOT = path("../../bin/skyslot.js");
const NETWORK = path("own-network.py");

/** In a network namespace of its own, where nothing else is heard. */
const alone = async (...command: readonly string[]): Promise<string> =>
  (await run("unshare", ["-rn", ...command], { timeout: 60_000 })).stdout;

describe("skyslot push --list", function () {
  this.timeout(90_000);

  before(function () {
    try {
      execFileSync("unshare", ["-rn", "python3", NETWORK, "true"], { stdio: "ignore" });
    } catch {
      console.log("    skipped: network namespaces are not allowed here, or python3 or ip is not installed");
      this.skip();
    }
  });

  it("finds a device by what its firmware announces", async () => {
    const node = [process.execPath, "--import", "tsx", "--no-warnings"];
    const { devices, asked } = JSON.parse(await alone("python3", NETWORK, ...node, HOUSE, "--json"));
    expect(asked).deep.equal(["10.9.0.1"]);
    expect(devices).length(1);
    const [device] = devices;
    expect(device).include({ port: 3232, type: "base", version: "1.0.0", host: `${device.name}.local` });
    expect(device.name).match(/^base-[0-9a-f]{6}$/);
    expect(device.address).match(/^192\.168\.\d+\.\d+$/);
  });

  it("says what to check where nothing answers, or there is no network", async () => {
    const [silent, none] = await Promise.all([
      alone("python3", NETWORK, process.execPath, SKYSLOT, "push", "--list"),
      alone(process.execPath, SKYSLOT, "push", "--list"),
    ]);
    expect(silent)
      .match(/^no device has answered within 3 s; asked from 10\.9\.0\.1$/m)
      .and.match(/same network/)
      .and.match(/UDP port 5353/);
    expect(none).match(/in no network/);
  });
});
