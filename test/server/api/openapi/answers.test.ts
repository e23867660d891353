import { Type } from "@sinclair/typebox";
import { expect } from "chai";
import Fastify from "fastify";
import { ok } from "../../../../server/api/answers.js";
import { serializeAsJson } from "../../../../server/api/validate.js";
import { fillWithSampleFleet } from "../../../../server/demo/sample-fleet.js";
import { type ApiDocument, Description, type Operation } from "../../answer-check.js";
import { makeRelease, START_MS, TestServer } from "../../test-server.js";

type Fields = Readonly<Record<string, unknown>>;

/** Of things that exist. */
const fillIn = (path: string): string =>
  path
    .replaceAll("{name}", path.startsWith("/api/users") ? "ada" : "base")
    .replaceAll(/\{(tenant|type)\}/g, "base")
    .replaceAll("{id}", /device|controller/.test(path) ? "base-010203" : "1")
    .replaceAll(/\{\w+\}/g, "1");

describe("the description of answers", () => {
  let server: TestServer;
  let document: ApiDocument;
  before(async () => {
    server = await TestServer.open();
    document = (await server.app.inject("/api/docs/json")).json();
  });
  after(() => server.close());

  const operations = (): (readonly [name: string, operation: Operation])[] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    );
  /** Every reference in a part of the document. */
  const referencesIn = (part: unknown): string[] =>
    typeof part !== "object" || part === null
      ? []
      : Object.entries(part).flatMap(([key, value]) => (key === "$ref" ? [`${value}`] : referencesIn(value)));

  it("names for every operation the successful answer: its shape, its media type, or nothing", () => {
    const unrequired = operations().filter(([name, { responses }]) => {
      const good = Object.entries(responses).filter(([status]) => status.startsWith("2"));
      const isTold = good.every(
        ([status, { content }]) =>
          status === "204" ||
          name.startsWith("HEAD ") ||
          Object.entries(content ?? {}).some(
            ([type, { schema }]) => type !== "application/json" || Object.keys(schema).length > 0,
          ),
      );
      return good.length === 0 || !isTold;
    });
    expect(unrequired.map(([name]) => name)).to.deep.equal([]);
    expect(operations().length).to.be.greaterThan(110);
  });

  it("names what occurs in many places, and has no dangling reference", () => {
    const names = Object.keys(document.components.schemas);
    expect(names).to.include.members([
      "ApiToken",
      "Attempt",
      "AuditLine",
      "Device",
      "Error",
      "Event",
      "Firmware",
      "Order",
      "Rollout",
      "Stage",
      "User",
      "Webhook",
    ]);
    const used = new Set(referencesIn(document));
    expect([...used].sort()).to.deep.equal(names.map((name) => `#/components/schemas/${name}`).sort());
  });

  it("is JSON Schema that can be compiled strictly, each shape with a description", () => {
    const description = new Description(document);
    for (const [name, schema] of Object.entries(document.components.schemas as Record<string, Fields>)) {
      expect(schema.description, name).to.be.a("string").and.not.equal("");
      expect(description.compile({ $ref: `#/components/schemas/${name}` })(1), name).to.contain("must be");
    }
  });

  it("never changes an answer: fields that its schema does not name are sent too, in the same order", async () => {
    const app = Fastify();
    serializeAsJson(app);
    const answer = { more: 1, known: "é", at: null };
    const response = ok(Type.Object({ known: Type.String() }));
    app.get("/", { schema: { response } }, async () => answer);
    expect((await app.inject("/")).body).to.equal(JSON.stringify(answer));
  });

  it("detects extra, missing and mistyped fields", async () => {
    const fleet = document.paths["/api/fleet"]?.get;
    if (!fleet) throw new Error("GET /api/fleet is not described");
    const answer = (await server.admin("GET", "/api/fleet")).json();
    const check = (body: object, status = 200, type = "application/json") =>
      new Description(document).validate(fleet, status, type, JSON.stringify(body));
    const { total, ...rest } = answer;
    expect(check(answer)).to.equal(undefined);
    expect(check({ ...answer, more: 1 })).to.contain("additional properties");
    expect(check(rest)).to.contain("required property 'total'");
    expect(check({ ...answer, total: "1" })).to.contain("must be integer");
    expect(check(answer, 201)).to.contain("201 is not described");
    expect(check(answer, 200, "text/html")).to.contain("described as application/json");
    expect(check({ error: "X" }, 404)).to.contain("required property 'message'");
  });

  it("says correctly which body may be left out", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await server.check();
    await server.addUser("ada", "viewer");
    await server.admin("POST", "/api/rollouts", { firmware_id: 1 });
    await server.admin("POST", "/api/webhooks", { url: "https://example.com/", events: ["*"] });
    const asked = operations().filter(([, { requestBody }]) => requestBody !== undefined);
    expect(asked.length).to.be.greaterThan(30);
    const required = asked.map(([name, { requestBody }]) => [name, (requestBody as Fields).required]);
    const real: unknown[] = [];
    for (const [name] of asked) {
      const [method, path = ""] = name.split(" ");
      const { statusCode } = await server.admin(method as "POST", fillIn(path));
      real.push([name, statusCode === 400 || statusCode === 415]);
    }
    expect(real).to.deep.equal(required);
    expect(required).to.deep.include(["POST /api/rollouts/{id}/cancel", false]);
    expect(required).to.deep.include(["POST /api/rollouts", true]);
  });

  it("says that fields with a default may be left out, and describes enumerations as such", () => {
    const parameters = document.paths["/api/devices"]?.get?.parameters as readonly Fields[];
    const named = (name: string) => parameters.find((parameter) => parameter.name === name);
    expect(named("limit")).to.deep.include({ required: false });
    expect(named("status")).to.deep.include({
      schema: { type: "string", enum: ["online", "late", "offline"] },
    });
    const device = document.components.schemas.Device as { properties: Record<string, Fields> };
    expect(device.properties.pin?.type).to.deep.equal(["string", "null"]);
    expect(device.properties.slot_state?.enum).to.include.members(["pending_verify", null]);
  });

  it("holds for a fleet with weeks of history", async function () {
    this.timeout(120_000);
    const fleet = await TestServer.open();
    const { store, app } = fleet;
    await fillWithSampleFleet({
      store,
      blobs: app.context.blobs,
      endsAt: START_MS,
      seed: "skyslot",
      deviceCount: 40,
    });
    const read = async (url: string) => {
      const answer = await fleet.admin("GET", url);
      expect(answer.statusCode, url).to.equal(200);
      return answer.headers["content-type"]?.toString().includes("json") ? answer.json() : {};
    };
    const { devices } = await read("/api/devices?limit=500");
    expect(devices).to.have.length(40);
    for (const { device_id } of devices)
      for (const part of ["", "/why", "/timeline?limit=500", "/orders"])
        await read(`/api/devices/${device_id}${part}`);
    for (const { id } of (await read("/api/rollouts")).rollouts)
      for (const part of ["", "/plan", "/devices?limit=500", "/rollback"])
        await read(`/api/rollouts/${id}${part}`);
    for (const { id } of (await read("/api/ota/admin/firmware")).firmware)
      await read(`/api/ota/admin/firmware/${id}`);
    const rest = [
      "/api/ota/admin/logs?limit=500",
      "/api/events?limit=500",
      "/api/audit?limit=500",
      "/api/fleet",
      "/api/fleet/history?days=28",
      "/api/devices/labels",
      "/api/device-identities?limit=500",
      "/api/registration",
      "/api/types",
      "/api/users",
      "/metrics",
      "/readyz",
    ];
    for (const url of rest) await read(url);
    expect(fleet.answers.faults).to.deep.equal([]);
    expect(fleet.answers.answered.size).to.equal(rest.length + 12);
    await fleet.close();
  });
});
