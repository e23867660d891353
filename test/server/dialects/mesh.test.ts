import { expect } from "chai";
import { makeRelease } from "../test-server.js";
import { arduinoImage, LegacyServer } from "./legacy-server.js";

describe("updates in a mesh", () => {
  let legacy: LegacyServer;
  let firmwareId: number;
  const image = arduinoImage("m");
  const admin = (method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
    legacy.server.admin(method, `/api/v1${url}`, payload);
  let gatewayToken: string;
  const call = (token: string, method: "GET" | "POST", url: string, payload?: object) =>
    legacy.server.app.inject({
      method,
      url: `/api/v1${url}`,
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      ...(payload ? { payload } : {}),
    });
  const gateway = (method: "GET" | "POST", url: string, payload?: object) =>
    call(gatewayToken, method, url, payload);

  beforeEach(async () => {
    legacy = await LegacyServer.open("pir");
    const form = new FormData();
    form.set("node_type", "pir");
    form.set("version", "1.2.0");
    form.set("release_notes", "Sleeps longer");
    form.set("file", new Blob([new Uint8Array(image)]), "pir.bin");
    const encoded = new Response(form);
    const answer = await legacy.server.app.inject({
      method: "POST",
      url: "/api/v1/firmware/upload",
      headers: {
        authorization: `Bearer ${legacy.server.token}`,
        "content-type": `${encoded.headers.get("content-type")}`,
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
    expect(answer.statusCode).to.equal(201);
    expect(answer.json()).to.include({ node_type: "pir", version: "1.2.0", release_notes: "Sleeps longer" });
    firmwareId = answer.json().id;
    await legacy.server.addUser("ada", "operator");
    const made = await legacy.server.admin("POST", "/api/tokens", {
      name: "gateway",
      scopes: ["mesh:report"],
      user: "ada",
    });
    gatewayToken = made.json().token;
  });
  afterEach(() => legacy.close());

  it("are visible to, and reported by, gateways with a token for their type only", async () => {
    const update = await admin("POST", "/ota/updates", { firmware_id: firmwareId });
    const { id } = update.json();
    const tokenFor = async (device_types: string[]): Promise<string> => {
      const body = { name: device_types[0], scopes: ["mesh:report"], user: "ada", device_types };
      return (await legacy.server.admin("POST", "/api/tokens", body)).json().token;
    };
    const [led, pir] = [await tokenFor(["led"]), await tokenFor(["pir"])];
    const pending = async (token: string) =>
      (await call(token, "GET", "/ota/updates/pending")).json().updates;
    expect(await pending(led)).to.deep.equal([]);
    expect(await pending(pir)).to.have.length(1);
    const node = { node_id: "7", status: "failed", error: "none of mine" };
    expect((await call(led, "POST", `/ota/updates/${id}/nodes`, node)).statusCode).to.equal(403);
    expect((await call(led, "POST", `/ota/updates/${id}/finish`, { status: "failed" })).statusCode).to.equal(
      403,
    );
    expect((await admin("GET", `/ota/updates/${id}`)).json()).to.deep.include({
      status: "pending",
      nodes: [],
    });
    expect((await call(pir, "POST", `/ota/updates/${id}/nodes`, node)).statusCode).to.equal(200);
    expect((await call(pir, "POST", `/ota/updates/${id}/finish`, { status: "failed" })).statusCode).to.equal(
      200,
    );
  });

  it("are fetched by a gateway, with everything that it announces to its nodes", async () => {
    const update = await admin("POST", "/ota/updates", { firmware_id: firmwareId, force_update: true });
    expect(update.statusCode).to.equal(201);
    const { updates } = (await gateway("GET", "/ota/updates/pending")).json();
    expect(updates).to.have.length(1);
    expect(updates[0]).to.deep.include({
      id: update.json().id,
      node_type: "pir",
      hardware: "ESP32",
      target_node_id: null,
      target_node_type: "pir",
      force_update: true,
      status: "pending",
      size: image.length,
      part_bytes: 1024,
      part_count: Math.ceil(image.length / 1024),
      download_url: `/api/ota/download/${firmwareId}`,
    });
    expect(updates[0].md5).to.match(/^[0-9a-f]{32}$/);
  });

  it("show the progress of each node, and end when the gateway says so", async () => {
    const { id } = (await admin("POST", "/ota/updates", { firmware_id: firmwareId })).json();
    const nodes = `/ota/updates/${id}/nodes`;
    await gateway("POST", nodes, {
      node_id: "1234567",
      status: "transferring",
      current_part: 3,
      total_parts: 20,
    });
    await gateway("POST", nodes, { node_id: "7654321", status: "failed", error: "no answer for 30 s" });
    await gateway("POST", nodes, {
      node_id: "1234567",
      status: "completed",
      current_part: 20,
      total_parts: 20,
    });
    const shown = (await admin("GET", `/ota/updates/${id}`)).json();
    expect(shown.status).to.equal("distributing");
    expect(shown.nodes).to.have.length(2);
    expect(shown.nodes[0]).to.include({
      node_id: "1234567",
      status: "completed",
      current_part: 20,
      total_parts: 20,
    });
    expect(shown.nodes[1]).to.include({ node_id: "7654321", status: "failed", error: "no answer for 30 s" });
    expect(
      (await gateway("POST", `/ota/updates/${id}/finish`, { status: "completed" })).json().status,
    ).to.equal("completed");
    expect((await gateway("GET", "/ota/updates/pending")).json().updates).to.deep.equal([]);
    expect((await admin("GET", "/ota/updates?status=completed")).json().total).to.equal(1);
  });

  it("for one node end with that node", async () => {
    const { id } = (await admin("POST", "/ota/updates", { firmware_id: firmwareId, node_id: "77" })).json();
    const other = await gateway("POST", `/ota/updates/${id}/nodes`, { node_id: "78", status: "pending" });
    expect(other.json().error).to.equal("NODE_NOT_TARGETED");
    await gateway("POST", `/ota/updates/${id}/nodes`, { node_id: "77", status: "completed" });
    expect((await admin("GET", `/ota/updates/${id}`)).json().status).to.equal("completed");
  });

  it("can be cancelled until they have ended", async () => {
    const { id } = (await admin("POST", "/ota/updates", { firmware_id: firmwareId })).json();
    expect((await admin("DELETE", `/ota/updates/${id}`)).json().status).to.equal("cancelled");
    expect((await admin("DELETE", `/ota/updates/${id}`)).json().error).to.equal("UPDATE_CLOSED");
    const late = await gateway("POST", `/ota/updates/${id}/nodes`, { node_id: "77", status: "transferring" });
    expect(late.json().error).to.equal("UPDATE_CLOSED");
    expect((await admin("DELETE", "/ota/updates/99")).json().error).to.equal("UPDATE_UNKNOWN");
  });

  it("are started and cancelled by operators, and reported by gateways with their own token", async () => {
    for (const [method, url] of [
      ["POST", "/ota/updates"],
      ["GET", "/firmware"],
      ["POST", "/firmware/upload"],
    ] as const)
      expect((await gateway(method, url, method === "POST" ? {} : undefined)).statusCode, url).to.equal(403);
    expect((await call("", "GET", "/ota/updates/pending")).statusCode).to.equal(401);
    expect((await call("", "POST", "/ota/updates/1/finish", { status: "completed" })).statusCode).to.equal(
      401,
    );
    expect((await admin("POST", "/ota/updates", { firmware_id: 99 })).json().error).to.equal(
      "FIRMWARE_UNKNOWN",
    );
  });

  describe("for a type", () => {
    const other = async (type: string, fields: Record<string, string> = {}): Promise<number> => {
      await legacy.server.admin("PUT", `/api/types/${type}`, { kind: "legacy" });
      const made = await legacy.server.upload(
        { image: arduinoImage(type) },
        { device_type: type, version: "1.0.0", ...fields },
      );
      return made.json().id;
    };
    const pending = async () =>
      (await gateway("GET", "/ota/updates/pending")).json().updates as Record<string, unknown>[];

    it("are not hidden by any number of another type's", async () => {
      const led = await other("led");
      const add = (id: number, targetNode: string | null) =>
        legacy.server.store.addMeshUpdate({ firmwareId: id, targetNode, isForced: false, createdAt: 1 });
      const first = await add(firmwareId, null);
      for (let node = 0; node < 130; node++) await add(led, `${node}`);
      const last = await add(firmwareId, "7");
      const mine = (updates: Record<string, unknown>[]) =>
        updates.filter(({ node_type }) => node_type === "pir").map(({ id }) => id);
      expect(mine(await pending())).to.deep.equal([first.id, last.id]);
      expect(await pending()).to.have.length(102);
      const body = { name: "pir", scopes: ["mesh:report"], user: "ada", device_types: ["pir"] };
      const { token } = (await legacy.server.admin("POST", "/api/tokens", body)).json();
      const { updates } = (await call(token, "GET", "/ota/updates/pending")).json();
      expect(updates.map(({ id }: { id: number }) => id)).to.deep.equal([first.id, last.id]);
    });

    it("name their hardware as the nodes compare it", async () => {
      const named: (readonly [string, Record<string, string>, string])[] = [
        ["led", { hardware: "my-board" }, "ESP32"],
        ["dht", { hardware: "esp32" }, "ESP32"],
        ["button", { hardware: "ESP32-DevKitC" }, "ESP32"],
      ];
      for (const [type, fields, hardware] of named) {
        await admin("POST", "/ota/updates", { firmware_id: await other(type, fields) });
        expect((await pending()).at(-1), type).to.include({ node_type: type, hardware });
      }
      await legacy.server.admin("PUT", "/api/types/watcher", { kind: "legacy" });
      for (const [hardware, shown] of [
        ["esp8266", "ESP8266"],
        ["ESP8266_NODEMCU", "ESP8266"],
        ["nrf52", "nrf52"],
      ] as const) {
        const image = Buffer.from(`no image of an ESP32 ${hardware}`);
        const made = await legacy.server.upload(
          { image },
          { device_type: "watcher", version: "1.0.0", hardware },
        );
        await admin("POST", "/ota/updates", { firmware_id: made.json().id });
        expect((await pending()).at(-1)).to.include({ node_type: "watcher", hardware: shown });
      }
      const { firmware } = (await admin("GET", "/firmware?node_type=led")).json();
      expect(firmware[0]).to.include({ hardware: "ESP32", chip: "esp32" });
    });
  });

  it("are for one node by either of its names, as text or number", async () => {
    for (const target of [
      { node_id: "77" },
      { target_node_id: "77" },
      { target_node_id: 77 },
      { node_id: 77, target_node_id: "77", target_node_type: "pir" },
    ]) {
      const opened = await admin("POST", "/ota/updates", { firmware_id: firmwareId, ...target });
      expect(opened.json(), JSON.stringify(target)).to.include({ node_id: "77", target_node_id: "77" });
    }
    for (const target of [{}, { target_node_id: null, node_id: null }, { node_type: "pir" }]) {
      const opened = await admin("POST", "/ota/updates", { firmware_id: firmwareId, ...target });
      expect(opened.json(), JSON.stringify(target)).to.include({ node_id: null, target_node_id: null });
    }
    const report = { node_id: 77, status: "failed", error_message: "no answer for 30 s" };
    const node = (await gateway("POST", "/ota/updates/1/nodes", report)).json();
    expect(node).to.include({ node_id: "77", error: "no answer for 30 s" });
  });

  it("are refused where their target is not understood: they would be for every node of the type", async () => {
    for (const [target, error] of [
      [{ target: "77" }, "INVALID_REQUEST"],
      [{ nodeId: "77" }, "INVALID_REQUEST"],
      [{ target_node_id: "" }, "INVALID_REQUEST"],
      [{ target_node_id: 1.5 }, "INVALID_REQUEST"],
      [{ node_id: "77", target_node_id: "78" }, "FIELD_MISMATCH"],
      [{ target_node_type: "led" }, "FIELD_MISMATCH"],
      [{ node_type: "led", target_node_id: "77" }, "FIELD_MISMATCH"],
    ] as const) {
      const refused = await admin("POST", "/ota/updates", { firmware_id: firmwareId, ...target });
      expect(refused.json().error, JSON.stringify(target)).to.equal(error);
    }
    expect((await admin("GET", "/ota/updates")).json().total).to.equal(0);
  });

  it("of signed firmware carry what a gateway of ours and its nodes verify, in parts of the signed chunks", async () => {
    const { server } = legacy;
    const made = await makeRelease("1.3.0", { type: "led" });
    const { id, file_hash } = (await server.upload(made, { is_stable: "false" })).json();
    const opened = await admin("POST", "/ota/updates", { firmware_id: id, rule: "all" });
    expect([opened.statusCode, opened.json().rule]).to.deep.equal([201, "all"]);
    const [row] = (await gateway("GET", "/ota/updates/pending")).json().updates;
    expect(row).to.include({
      rule: "all",
      release: made.release,
      sha256: file_hash,
      build_number: 0,
      chunk_bytes: 16_384,
      chunk_count: Math.ceil(made.image.length / 16_384),
      digests_url: `/api/ota/download/${id}/digests`,
    });
    const digests = await server.app.inject(row.digests_url);
    expect(digests.rawPayload.length).to.equal(32 * row.chunk_count);
    await admin("POST", "/ota/updates", { firmware_id: firmwareId });
    const updates = (await gateway("GET", "/ota/updates/pending")).json().updates;
    expect(updates[1]).to.include({ rule: "each", node_type: "pir" }).and.not.to.have.property("release");
  });

  it("are all or nothing only for firmware that is signed: other nodes do not wait for each other", async () => {
    const refused = await admin("POST", "/ota/updates", { firmware_id: firmwareId, rule: "all" });
    expect([refused.statusCode, refused.json().error]).to.deep.equal([422, "RULE_NEEDS_SIGNED"]);
    const unknown = await admin("POST", "/ota/updates", { firmware_id: firmwareId, rule: "most" });
    expect(unknown.statusCode).to.equal(400);
    expect((await admin("GET", "/ota/updates")).json().total).to.equal(0);
  });

  it("are listed as many at a time as a gateway has memory for, the oldest first", async () => {
    const first = (await admin("POST", "/ota/updates", { firmware_id: firmwareId })).json();
    await admin("POST", "/ota/updates", { firmware_id: firmwareId });
    const ids = async (query: string) =>
      (await gateway("GET", `/ota/updates/pending${query}`))
        .json()
        .updates.map(({ id }: { id: number }) => id);
    expect(await ids("")).to.have.length(2);
    expect(await ids("?limit=1")).to.deep.equal([first.id]);
    expect((await gateway("GET", "/ota/updates/pending?limit=0")).statusCode).to.equal(400);
  });

  it("show nodes that hold an image until the others have it", async () => {
    const { id } = (await admin("POST", "/ota/updates", { firmware_id: firmwareId })).json();
    const report = { node_id: "7", status: "staged", current_part: 20, total_parts: 20 };
    expect((await gateway("POST", `/ota/updates/${id}/nodes`, report)).json()).to.include(report);
    const shown = (await admin("GET", `/ota/updates/${id}`)).json();
    expect(shown).to.include({ status: "distributing" });
    expect(shown.nodes[0]).to.include({ status: "staged" });
  });
});
