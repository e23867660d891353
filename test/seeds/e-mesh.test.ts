// System E, a gateway and its nodes: what they and their operator ask of the server.

import { join } from "node:path";
import { expect } from "chai";
import { requireCurl, run, Seed } from "./seed.js";

describe("system E, with curl", () => {
  let seed: Seed;
  before(requireCurl);
  beforeEach(async () => {
    seed = await Seed.open();
  });
  afterEach(() => seed.close());

  it("lets a gateway find an update, fetch parts of it and report its nodes", async () => {
    await seed.makeLegacy("pir");
    const uploaded = await seed.curl(
      ...seed.asAdmin,
      ...[
        "-F",
        `file=@${seed.image}`,
        "-F",
        "node_type=pir",
        "-F",
        "version=1.0.1",
        "-F",
        "release_notes=Sleeps longer",
      ],
      `${seed.server.url}/api/v1/firmware/upload`,
    );
    expect(uploaded.status).to.equal(201);
    const order = { firmware_id: uploaded.body.id, force_update: false };
    const created = await seed.json("/api/v1/ota/updates", order, ...seed.asAdmin);
    expect(created.status).to.equal(201);

    const { body: pending } = await seed.curl(
      ...seed.asAdmin,
      `${seed.server.url}/api/v1/ota/updates/pending`,
    );
    const [update] = pending.updates as { id: number; download_url: string; part_count: number }[];
    const part = await run("curl", [
      "-sS",
      "-r",
      "1024-2047",
      "-w",
      "%{size_download} %{http_code}",
      "-o",
      join(seed.folder, "part"),
      `${seed.server.url}${update?.download_url}`,
    ]);
    expect(part.stdout).to.equal("1024 206");
    const nodes = `/api/v1/ota/updates/${update?.id}/nodes`;
    const node = {
      node_id: "1234567",
      status: "transferring",
      current_part: 1,
      total_parts: update?.part_count,
    };
    expect((await seed.json(nodes, node, ...seed.asAdmin)).status).to.equal(200);
    await seed.json(
      nodes,
      { ...node, status: "completed", current_part: update?.part_count },
      ...seed.asAdmin,
    );
    await seed.json(`/api/v1/ota/updates/${update?.id}/finish`, { status: "completed" }, ...seed.asAdmin);

    const { body: shown } = await seed.curl(
      ...seed.asAdmin,
      `${seed.server.url}/api/v1/ota/updates/${update?.id}`,
    );
    expect(shown.status).to.equal("completed");
    const second = await seed.json("/api/v1/ota/updates", order, ...seed.asAdmin);
    const cancelled = await seed.curl(
      "-X",
      "DELETE",
      ...seed.asAdmin,
      `${seed.server.url}/api/v1/ota/updates/${second.body.id}`,
    );
    expect(cancelled.body.status).to.equal("cancelled");
    expect((await seed.curl(...seed.asAdmin, `${seed.server.url}/api/v1/firmware`)).body.total).to.equal(1);
  });

  it("names fields as its tables do", async () => {
    await seed.makeLegacy("pir");
    const { body: firmware } = await seed.upload("/api/v1/firmware/upload", {
      node_type: "pir",
      version: "1.0.1",
    });
    expect(firmware).to.include({ is_stable: false, hardware: "ESP32", size_bytes: firmware.size });
    expect(firmware.md5_hash).to.match(/^[0-9a-f]{32}$/);
    const order = { firmware_id: firmware.id, force_update: true, target_node_id: 1234567 };
    const { body: update } = await seed.json("/api/v1/ota/updates", order, ...seed.asAdmin);
    expect(update).to.include({
      target_node_id: "1234567",
      target_node_type: "pir",
      status: "pending",
      started_at: null,
      completed_at: null,
      error_message: null,
    });
    const report = { node_id: 1234567, current_part: 3, total_parts: 200 };
    const nodes = `/api/v1/ota/updates/${update.id}/nodes`;
    await seed.json(nodes, { ...report, status: "transferring" }, ...seed.asAdmin);
    const shown = () => seed.curl(...seed.asAdmin, seed.url(`/api/v1/ota/updates/${update.id}`));
    expect((await shown()).body.started_at).to.match(/^\d{4}-/);
    await seed.json(
      nodes,
      { ...report, status: "failed", error_message: "part 4: no answer" },
      ...seed.asAdmin,
    );
    const { body: ended } = await shown();
    expect(ended).to.include({ status: "failed", error_message: "part 4: no answer" });
    expect(ended.completed_at).to.equal(ended.finished_at);
    expect(ended.nodes[0]).to.include({ node_id: "1234567", error_message: "part 4: no answer" });
  });

  it("tells a gateway the rule of an update, and that nodes hold what they have", async () => {
    await seed.makeLegacy("pir");
    const { body: firmware } = await seed.upload("/api/v1/firmware/upload", {
      node_type: "pir",
      version: "1.0.2",
    });
    const order = { firmware_id: firmware.id, rule: "each" };
    const { body: update } = await seed.json("/api/v1/ota/updates", order, ...seed.asAdmin);
    const { body } = await seed.curl(...seed.asAdmin, seed.url("/api/v1/ota/updates/pending?limit=1"));
    expect(body.updates).to.have.length(1);
    expect(body.updates[0]).to.include({ id: update.id, rule: "each", node_type: "pir" });
    const report = { node_id: 7, status: "staged", current_part: 9, total_parts: 9 };
    const nodes = `/api/v1/ota/updates/${update.id}/nodes`;
    expect((await seed.json(nodes, report, ...seed.asAdmin)).body).to.include({ status: "staged" });
    const all = await seed.json("/api/v1/ota/updates", { ...order, rule: "all" }, ...seed.asAdmin);
    expect([all.status, all.body.error]).to.deep.equal([422, "RULE_NEEDS_SIGNED"]);
  });

  it("refuses a gateway without a token, unless gateways are open", async () => {
    const pending = seed.url("/api/v1/ota/updates/pending");
    expect((await seed.curl(pending)).status).to.be.oneOf([401, 403]);
    const open = await Seed.open({ settings: { openGateways: true }, legacyTypes: ["pir"] });
    try {
      const { body: firmware } = await open.upload("/api/v1/firmware/upload", {
        node_type: "pir",
        version: "1.0.1",
      });
      const { body: update } = await open.json(
        "/api/v1/ota/updates",
        { firmware_id: firmware.id },
        ...open.asAdmin,
      );
      const { body: found } = await open.curl(open.url("/api/v1/ota/updates/pending"));
      expect(found.updates).to.have.length(1);
      const report = { node_id: 7, status: "transferring", current_part: 1, total_parts: 200 };
      const nodes = `/api/v1/ota/updates/${update.id}/nodes`;
      expect((await open.json(nodes, report)).status).to.equal(200);
      const refused = async (...more: readonly string[]) =>
        (await open.curl(...more, open.url("/api/v1/ota/updates/pending"))).status;
      expect(await refused("-H", "Authorization: Bearer wrong")).to.equal(401);
      expect(await refused("-H", "Origin: http://192.168.1.5")).to.be.oneOf([401, 403]);
      expect(await refused("-H", "X-Forwarded-For: 192.168.1.5")).to.be.oneOf([401, 403]);
      const order = await open.json("/api/v1/ota/updates", { firmware_id: firmware.id });
      expect(order.status).to.equal(401);
      expect((await open.curl("-X", "DELETE", open.url(`/api/v1/ota/updates/${update.id}`))).status).to.equal(
        401,
      );
    } finally {
      await open.close();
    }
  });
});
