import { expect } from "chai";
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
      hardware: "esp32",
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
});
