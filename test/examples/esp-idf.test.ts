// examples/esp-idf, compiled for the host against stand-ins for ESP-IDF (test/examples/idf), updates itself from a real server.

import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { LegacyServer } from "../server/dialects/legacy-server.js";
import { BrokenLine } from "./broken-line.js";
import { run } from "./run.js";

const HEADERS = [
  ...[
    "esp_app_desc",
    "esp_crt_bundle",
    "esp_err",
    "esp_event",
    "esp_http_client",
    "esp_idf_version",
    "esp_log",
  ],
  ...[
    "esp_mac",
    "esp_netif",
    "esp_ota_ops",
    "esp_partition",
    "esp_random",
    "esp_system",
    "freertos/FreeRTOS",
  ],
  ...["freertos/task", "mbedtls/sha256", "nvs", "nvs_flash", "protocol_examples_common", "psa/crypto"],
];
const RESTARTS = 42;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const EXAMPLE = here("../../examples/esp-idf/");

const imageOf = (version: string, mark = version): Buffer =>
  Buffer.from(
    buildFirmwareImage({ chip: "esp32", version, project: "scales", bundle: `// ${mark}\n`.repeat(30_000) }),
  );

describe("examples/esp-idf", () => {
  let folder: string;
  let legacy: LegacyServer;
  let line: BrokenLine;
  let board: string;
  before(async function () {
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
    } catch {
      console.warn("      skipped: no cc (Debian package gcc)");
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "skyslot-idf-"));
    for (const name of HEADERS) {
      const file = join(folder, "include", `${name}.h`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `#include "${here("idf/idf.h")}"\n`);
    }
    await Promise.all([compile("5"), compile("6")]);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** @param major the release of ESP-IDF whose functions it is compiled for */
  async function compile(major: string): Promise<void> {
    const component = `${EXAMPLE}components/esp32_ota_client/`;
    const stubs = ["flash", "http", "system"].map((name) => here(`idf/idf-${name}.c`));
    const sources = [`${component}esp32_ota_client.c`, `${component}flat_json.c`, `${EXAMPLE}main/main.c`];
    const warnings = [
      "-std=gnu17",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-Wno-stringop-truncation",
      "-fsanitize=address,undefined",
    ];
    const folders = ["-I", join(folder, "include"), "-I", `${component}include`];
    const options = ["-O1", "-g", `-DIDF_MAJOR=${major}`, "-o", join(folder, `firmware-${major}`)];
    await promisify(execFile)("cc", [...warnings, ...folders, ...options, ...sources, ...stubs]);
  }

  beforeEach(async () => {
    legacy = await LegacyServer.open("scales");
    await legacy.server.listen();
    line = await BrokenLine.open(legacy.server.app.server);
    board = await mkdtemp(join(folder, "board-"));
    await writeFile(join(board, "ota_0.bin"), imageOf("1.0.0"));
  });
  afterEach(async () => {
    await line?.close();
    await legacy?.close();
  });

  const start = (environment: Record<string, string> = {}, major = "6") =>
    run(join(folder, `firmware-${major}`), [], board, {
      OTA_SERVER_URL: line.url,
      OTA_DEVICE_ID: "scales-1",
      ...environment,
    });
  const attempt = () => legacy.server.lastAttempt();
  const slot = (name: string) => readFile(join(board, `${name}.bin`));

  for (const major of ["5", "6"])
    it(`updates itself, confirms after its restart, and is recorded as updated (functions of ESP-IDF ${major})`, async () => {
      const image = imageOf("1.1.0");
      await legacy.upload(image, { version: "1.1.0" });
      const first = await start({}, major);
      expect(first.status, first.output).to.equal(RESTARTS);
      expect((await slot("ota_1")).equals(image)).to.be.true;
      expect(await attempt()).to.include({ status: "installing", bytes_downloaded: image.length });
      const second = await start({}, major);
      expect(second.status, second.output).to.equal(0);
      expect(second.output)
        .to.include("runs 1.1.0")
        .and.include("nothing newer")
        .and.match(/waits 1[0-3]\d s/);
      expect(await attempt()).to.include({ status: "success" });
      const { devices } = (await legacy.server.admin("GET", "/api/devices")).json();
      expect(devices[0]).to.include({ device_id: "scales-1", current_version: "1.1.0" });
    });

  it("continues where a connection broke, without asking for the same bytes again", async () => {
    const image = imageOf("1.1.0");
    await legacy.upload(image, { version: "1.1.0" });
    line.breakAfter("/api/ota/download", [100_000, 150_000]);
    const { status, output } = await start();
    expect(status, output).to.equal(RESTARTS);
    expect(output.match(/connection ended at byte/g), output).to.have.length(2);
    expect((await slot("ota_1")).equals(image)).to.be.true;
    const ranges = line.heads.flatMap((head) => /\r\nrange: bytes=(\d+)-/i.exec(head)?.[1] ?? []).map(Number);
    expect(ranges).to.have.length(2);
    expect(ranges[0]).to.be.within(1, 100_000);
    expect(ranges[1]).to.be.within(ranges[0]! + 1, 250_000);
  });

  it("gives up on a connection that always breaks, keeps running, and says so", async () => {
    await legacy.upload(imageOf("1.1.0"), { version: "1.1.0" });
    line.breakAfter("/api/ota/download", Array(20).fill(200));
    const { status, output } = await start();
    expect(status, output).to.equal(0);
    expect(await attempt()).to.include({ status: "failed", error_code: "CONNECTION_LOST" });
  });

  it("refuses an image whose bytes are not those that the server stated", async () => {
    await legacy.upload(imageOf("1.1.0"), { version: "1.1.0" });
    line.damage("/api/ota/download");
    const { status, output } = await start();
    expect(status, output).to.equal(0);
    expect(output).to.include("IMAGE_MISMATCH: ESP_ERR_INVALID_CRC");
    expect(await attempt()).to.include({ status: "failed", error_code: "IMAGE_MISMATCH" });
    expect((await start()).output, "the old firmware stays").to.include("runs 1.0.0");
  });

  it("refuses an image that is larger than the slot before it writes anything", async () => {
    await legacy.upload(imageOf("1.1.0"), { version: "1.1.0" });
    const { status, output } = await start({ IDF_SLOT_BYTES: "65536" });
    expect(status, output).to.equal(0);
    const { error_code, error_message } = await attempt();
    expect(error_code).to.equal("IMAGE_TOO_LARGE");
    expect(error_message).to.include("slot 65536");
    expect(line.heads.some((head) => head.includes("/api/ota/download"))).to.be.false;
  });

  it("refuses a file that is no image", async () => {
    await legacy.upload(Buffer.from("not an image".repeat(100)), { version: "1.1.0", hardware: "esp32" });
    expect((await start()).status).to.equal(0);
    expect(await attempt()).to.include({ status: "failed", error_code: "DOWNLOAD_FAILED" });
  });

  it("is rolled back when it restarts before it has confirmed, and reports that", async () => {
    await legacy.upload(imageOf("1.1.0"), { version: "1.1.0" });
    expect((await start()).status).to.equal(RESTARTS);
    const onTrial = await start({ IDF_NO_NETWORK: "1" });
    expect(onTrial.output).to.include("runs 1.1.0");
    expect(onTrial.status).to.equal(RESTARTS);
    const back = await start();
    expect(back.output).to.include("runs 1.0.0");
    const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
    expect(logs[0]).to.include({ error_code: "ROLLED_BACK" });
  });

  it("waits as long as the server asks for, and keeps running without a server", async () => {
    line.answer(503, { "retry-after": "900" });
    expect((await start()).output)
      .to.include("answered 503")
      .and.match(/waits (8|9)\d\d s/);
    await line.close();
    const { output, status } = await start();
    expect(output)
      .to.include("no answer")
      .and.match(/waits 1[0-3]\d s/);
    expect(status).to.equal(0);
  });
});
