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
});
