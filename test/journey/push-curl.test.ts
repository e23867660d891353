// The real curl pushes to a virtual device's port 3232, over a real socket. One device handles all pushes, one after the other.

import { execFile, spawnSync } from "node:child_process";
import { expect } from "chai";
import { CONFIG, LiveDevice, TOKEN } from "./live-device.js";
import { PUSH_PORT } from "./pusher.js";
import { imageOf, type Rig, releaseOf } from "./rig.js";

const SLOT_BYTES = 0x200000;

interface Outcome {
  readonly exitCode: number;
  /** Of the last head; 0: no answer. */
  readonly status: number;
  /** All heads and the body. */
  readonly text: string;
}

describe("curl", () => {
  let live: LiveDevice;
  let rig: Rig;
  let image: string;
  let release: string;

  before(async function () {
    if (spawnSync("curl", ["--version"]).status !== 0) {
      process.stdout.write("    skipped: curl is not installed (apt-get install curl)\n");
      this.skip();
    }
    live = await LiveDevice.start([PUSH_PORT]);
    rig = live.rig;
    const bytes = await imageOf("base", "1.1.0", "esp32", CONFIG);
    image = file("image.bin", bytes);
    release = await releaseOf(bytes);
  });
  after(() => live?.close());

  const file = (name: string, bytes: Uint8Array) => live.file(name, bytes);
  const until = (done: () => boolean) => live.until(done);

  /** Runs curl with the options of every push. */
  function curl(...more: readonly string[]): Promise<Outcome> {
    const url = `http://127.0.0.1:${live.portOf(PUSH_PORT)}/update`;
    const parameters = ["--silent", "--noproxy", "*", "--include", "--max-time", "30", ...more, url];
    return new Promise((resolve) => {
      execFile("curl", parameters, (error, text) => {
        const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
        resolve({ exitCode: Number(error?.code ?? 0), status: statuses.at(-1) ?? 0, text });
      });
    });
  }

  const authorized = (token = TOKEN) => ["--header", `Authorization: Bearer ${token}`];
  const signed = (text = release) => ["--header", `X-Skyslot-Release: ${text}`];
  const body = (path: string) => ["--data-binary", `@${path}`];

  function expectOldFirmware(): void {
    expect(rig.desk.device.running?.label).equal("factory");
    expect(rig.desk.device.bootCount).equal(2);
  }

  it("without credentials gets 401", async () => {
    const { status, text } = await curl(...signed(), ...body(image));
    expect(text).match(
      /www-authenticate: Skyslot realm="base-[0-9a-f]{6}", nonce="[^"]+", rounds=10000, Bearer\r/,
    );
    expect(status).equal(401);
    expectOldFirmware();
  });

  it("with a wrong token gets 403", async () => {
    const { status, text } = await curl(...authorized("let me in"), ...signed(), ...body(image));
    expect(text).match(/not the push token/);
    expect(status).equal(403);
    expectOldFirmware();
  });

  it("with an image that is too large gets 413 before it sends it", async () => {
    const large = file("large.bin", new Uint8Array(SLOT_BYTES + 1));
    const { status, text } = await curl(
      ...authorized(),
      ...signed(),
      ...body(large),
      "--header",
      "Expect: 100-continue",
    );
    expect(text)
      .match(/image is 2097153 bytes, slot is 2097152/)
      .and.not.match(/100 Continue/);
    expect(status).equal(413);
    expectOldFirmware();
  });

  it("with another chip's image gets 422", async () => {
    const other = await imageOf("base", "1.1.0", "esp32c3", CONFIG);
    const path = file("other.bin", other);
    const { status, text } = await curl(...authorized(), ...signed(await releaseOf(other)), ...body(path));
    expect(text).match(/release is for chip esp32c3/);
    expect(status).equal(422);
    // and with the release of the right one
    const lying = await curl(...authorized(), ...signed(), ...body(path));
    expect(lying.status).equal(422);
    expectOldFirmware();
  });

  it("whose body ends early arms nothing", async () => {
    const bytes = await imageOf("base", "1.1.0", "esp32", CONFIG);
    const length = (count: number) => ["--header", `Content-Length: ${count}`];
    const longer = await curl(...authorized(), ...signed(), ...length(1_000_000), ...body(image));
    expect(longer.text).match(/body is 1000000 bytes, its release says/);

    const half = body(file("half.bin", bytes.subarray(0, 60_000)));
    const traceCount = rig.trace.length;
    const cut = await curl(
      ...authorized(),
      ...signed(),
      ...length(bytes.length),
      ...half,
      "--max-time",
      "1.5",
    );
    expect(cut).include({ exitCode: 28, status: 0 });
    await until(() =>
      rig.trace.slice(traceCount).some((line) => /connection ended at byte 60000/.test(line)),
    );
    expectOldFirmware();
  });

  it("gets 409 during another push, which is not disturbed and ends validated", async () => {
    const slow = curl(...authorized(), ...signed(), ...body(image), "--limit-rate", "100k");
    const traceCount = rig.trace.length;
    await until(() =>
      rig.trace.slice(traceCount).some((line) => /receiving a pushed image of \d+ bytes/.test(line)),
    );
    const second = await curl(...authorized(), ...signed(), ...body(image));
    expect(second.text).match(/another update is in progress/);
    expect(second.status).equal(409);
    const first = await slow;
    expect(first.text).match(/\r\n\r\nOTA update successful, rebooting\.\.\.\n$/);
    expect(first.status).equal(200);
    await until(() => rig.checks.at(-1)?.slot_state === "valid");
    expect(rig.running()).equal("1.1.0 ota_0");
  });

  it("that waits for 100 Continue gets it, and its image ends validated", async () => {
    const next = await imageOf("base", "1.2.0", "esp32", CONFIG);
    const { status, text } = await curl(
      ...authorized(),
      ...signed(await releaseOf(next)),
      ...body(file("next.bin", next)),
      "--header",
      "Expect: 100-continue",
    );
    expect(text).match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(status).equal(200);
    await until(() => rig.running() === "1.2.0 ota_1" && rig.checks.at(-1)?.slot_state === "valid");
  });
});
