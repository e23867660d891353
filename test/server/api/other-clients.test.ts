// Requests of other systems' clients, as they send them: curl against a running server.

import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../../server/start.js";
import { arduinoImage } from "../dialects/legacy-server.js";

const run = promisify(execFile);

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("the clients of other systems, with curl", () => {
  let server: RunningServer;
  let folder: string;
  let image: string;

  /** The answer's status and JSON. */
  async function curl(...args: string[]): Promise<{ status: number; body: Record<string, unknown> }> {
    const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code}", ...args]);
    const at = stdout.lastIndexOf("\n");
    const text = stdout.slice(0, at);
    return { status: Number(stdout.slice(at + 1)), body: text === "" ? {} : JSON.parse(text) };
  }
  const json = (url: string, body: object, ...args: string[]) =>
    curl("-H", "Content-Type: application/json", "-d", JSON.stringify(body), ...args, `${server.url}${url}`);
  const asAdmin = () => ["-H", `Authorization: Bearer ${server.adminToken}`];
  const makeLegacy = (type: string) =>
    json(`/api/types/${type}`, { kind: "legacy" }, "-X", "PUT", ...asAdmin());

  before(function () {
    if (hasCurl()) return;
    console.log("    skipped: curl is not installed");
    this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-systems-"));
    image = join(folder, "firmware.bin");
    await writeFile(image, arduinoImage("system".repeat(5)));
    server = await startServer({ dataDir: join(folder, "data"), port: 0 });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("let a display register, send its heartbeat and show up", async () => {
    const device = { device_id: "cms-1", device_type: "cms", current_version: "1.0.0", current_build: 0 };
    expect((await json("/api/devices/register", device)).status).to.equal(201);
    expect((await json("/api/devices/cms-1/heartbeat", { rssi: -61 })).status).to.equal(200);
    const { body } = await curl(...asAdmin(), `${server.url}/api/devices`);
    expect(body).to.deep.include({ total: 1 });
  });

  it("upload firmware, find, download and report it, and list it in the log", async () => {
    await makeLegacy("scales_bridge_tab5");
    const uploaded = await curl(
      ...asAdmin(),
      ...[
        "-F",
        `file=@${image}`,
        "-F",
        "device_type=scales_bridge_tab5",
        "-F",
        "version=1.2.0",
        "-F",
        "build_number=7",
      ],
      ...["-F", "is_stable=true", "-F", "min_current_version=1.0.0"],
      `${server.url}/api/ota/admin/upload`,
    );
    expect(uploaded.status).to.equal(201);
    const { id } = uploaded.body as { id: number };

    const me = {
      device_id: "tab5-1",
      device_type: "scales_bridge_tab5",
      current_version: "1.1.0",
      current_build: 3,
    };
    const { body: offer } = await json("/api/ota/check", me);
    expect(offer).to.include({
      update_available: true,
      version: "1.2.0",
      download_url: `/api/ota/download/${id}`,
    });
    const copy = join(folder, "copy.bin");
    await run("curl", ["-sS", "-o", copy, `${server.url}${offer.download_url}`]);
    expect((await readFile(copy)).equals(await readFile(image))).to.equal(true);

    for (const status of ["downloading", "installing", "success"])
      expect(
        (await json("/api/ota/status", { device_id: "tab5-1", firmware_id: id, status })).status,
        status,
      ).to.equal(200);
    const { body: after } = await json("/api/ota/check", {
      ...me,
      current_version: "1.2.0",
      current_build: 7,
    });
    expect(after.update_available).to.equal(false);

    const { body: log } = await curl(
      ...asAdmin(),
      `${server.url}/api/ota/admin/logs?device_id=tab5-1&status=success`,
    );
    expect(log.total).to.equal(1);
    const { body: patched } = await json(
      `/api/ota/admin/firmware/${id}`,
      { is_stable: false },
      "-X",
      "PATCH",
      ...asAdmin(),
    );
    expect(patched.is_stable).to.equal(false);
    const { body: gone } = await curl(
      "-X",
      "DELETE",
      ...asAdmin(),
      `${server.url}/api/ota/admin/firmware/${id}`,
    );
    expect(gone.is_active).to.equal(false);
    expect((await curl(`${server.url}/api/ota/download/${id}`)).status).to.equal(410);
  });

  it("get an intermediate release for a device below min_current_version", async () => {
    await makeLegacy("scales_bridge_tab5");
    await curl(
      ...asAdmin(),
      ...[
        "-F",
        `file=@${image}`,
        "-F",
        "device_type=scales_bridge_tab5",
        "-F",
        "version=2.0.0",
        "-F",
        "min_current_version=1.5.0",
      ],
      `${server.url}/api/ota/admin/upload`,
    );
    const me = {
      device_id: "tab5-2",
      device_type: "scales_bridge_tab5",
      current_version: "1.1.0",
      current_build: 0,
    };
    expect((await json("/api/ota/check", me)).body.update_available).to.equal(false);
  });

  it("are refused administration without a token", async () => {
    expect((await curl("-F", `file=@${image}`, `${server.url}/api/ota/admin/upload`)).status).to.equal(401);
    expect((await curl("-X", "DELETE", `${server.url}/api/ota/admin/firmware/1`)).status).to.equal(401);
    expect(
      (await curl("-H", "Authorization: Bearer wrong", `${server.url}/api/ota/admin/logs`)).status,
    ).to.equal(401);
  });

  it("read from the system manifest what a pair has to install and in which order", async () => {
    for (const type of ["receiver", "transmitter"]) {
      await makeLegacy(type);
      await curl(
        ...asAdmin(),
        ...["-F", `file=@${image}`, "-F", `device_type=${type}`, "-F", "version=2.0.0"],
        `${server.url}/api/ota/admin/upload`,
      );
    }
    const { body } = await curl(`${server.url}/manifest`);
    expect(body).to.include({ system_version: "2.0.0" });
    expect(body.devices).to.have.all.keys("receiver", "transmitter");
    expect(body.update_instructions).to.deep.include({ order: ["receiver", "transmitter"] });
  });

  it("let a mesh gateway find an update, fetch parts of it and report its nodes", async () => {
    await makeLegacy("pir");
    const uploaded = await curl(
      ...asAdmin(),
      ...[
        "-F",
        `file=@${image}`,
        "-F",
        "node_type=pir",
        "-F",
        "version=1.0.1",
        "-F",
        "release_notes=Sleeps longer",
      ],
      `${server.url}/api/v1/firmware/upload`,
    );
    expect(uploaded.status).to.equal(201);
    const order = { firmware_id: uploaded.body.id, force_update: false };
    const created = await json("/api/v1/ota/updates", order, ...asAdmin());
    expect(created.status).to.equal(201);

    const { body: pending } = await curl(...asAdmin(), `${server.url}/api/v1/ota/updates/pending`);
    const [update] = pending.updates as { id: number; download_url: string; part_count: number }[];
    const part = await run("curl", [
      "-sS",
      "-r",
      "1024-2047",
      "-w",
      "%{size_download} %{http_code}",
      "-o",
      join(folder, "part"),
      `${server.url}${update?.download_url}`,
    ]);
    expect(part.stdout).to.equal("1024 206");
    const nodes = `/api/v1/ota/updates/${update?.id}/nodes`;
    const node = {
      node_id: "1234567",
      status: "transferring",
      current_part: 1,
      total_parts: update?.part_count,
    };
    expect((await json(nodes, node, ...asAdmin())).status).to.equal(200);
    await json(nodes, { ...node, status: "completed", current_part: update?.part_count }, ...asAdmin());
    await json(`/api/v1/ota/updates/${update?.id}/finish`, { status: "completed" }, ...asAdmin());

    const { body: shown } = await curl(...asAdmin(), `${server.url}/api/v1/ota/updates/${update?.id}`);
    expect(shown.status).to.equal("completed");
    const second = await json("/api/v1/ota/updates", order, ...asAdmin());
    const cancelled = await curl(
      "-X",
      "DELETE",
      ...asAdmin(),
      `${server.url}/api/v1/ota/updates/${second.body.id}`,
    );
    expect(cancelled.body.status).to.equal("cancelled");
    expect((await curl(...asAdmin(), `${server.url}/api/v1/firmware`)).body.total).to.equal(1);
  });
});
