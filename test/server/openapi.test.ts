import { FormatRegistry, type TSchema } from "@sinclair/typebox";
import { expect } from "chai";
import { ANSWERS } from "../../server/api/openapi-answers.js";
import { BODIES, MEDIA_TYPES } from "../../server/api/openapi-bodies.js";
import { findFault } from "../../server/api/schemas.js";
import { makeRelease, PASSWORD, TestServer } from "./test-server.js";

const DEVICE_ID = "base-010203";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security: readonly object[];
  readonly tags: readonly string[];
}

FormatRegistry.Set("date-time", (text) => new Date(text).toISOString() === text);

/** Fields of an answer that its schema does not name. */
function findUntold(schema: TSchema, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => findUntold(schema.items, item));
  if (!schema.properties || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties[name];
    return known ? findUntold(known, field).map((inner) => `${name}.${inner}`) : [name];
  });
}

describe("the description of the API", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const describe_ = async () => (await server.app.inject("/api/docs/json")).json();

  it("is OpenAPI 3.1 and names every route that is no page", async () => {
    const { openapi, paths } = await describe_();
    expect(openapi).to.equal("3.1.0");
    const told = new Set(
      Object.entries(paths as Record<string, object>).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    const isPage = (url: string) =>
      !/^\/(api|:tenant|manifest|healthz|readyz|metrics)/.test(url) || url.startsWith("/api/docs");
    const missing = server.app.routeAccess
      .filter(({ url }) => !isPage(url))
      .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, "{$1}")}`)
      .filter((route) => !told.has(route));
    expect(missing).to.deep.equal([]);
    expect(told.size).to.be.greaterThan(60);
  });

  it("says of every operation what it is, by a name of its own, and what it needs", async () => {
    const { paths } = await describe_();
    const operations = Object.values(paths as Record<string, Record<string, Operation>>).flatMap((each) =>
      Object.values(each),
    );
    for (const { operationId, summary, tags } of operations) {
      expect(summary, operationId).to.be.a("string").and.not.equal("");
      expect(tags, operationId).to.have.length(1);
    }
    const names = operations.flatMap(({ operationId }) => operationId ?? []);
    expect(new Set(names).size).to.equal(names.length);
    expect(names).to.include.members(["POST_api_ota_check", "GET_api_rollouts"]);
    const upload = paths["/api/ota/admin/upload"].post as Operation;
    expect(upload.security).to.deep.equal([{ bearer: [] }]);
    expect(paths["/healthz"].get.security).to.deep.equal([]);
  });

  it("holds the same schemas that validate", async () => {
    const { paths } = await describe_();
    const { schema } = paths["/api/ota/check"].post.requestBody.content["application/json"];
    expect(schema.required).to.include.members(["device_id", "device_type", "current_version"]);
    expect(schema.properties.device_id.pattern).to.equal("^[A-Za-z0-9._:-]{1,64}$");
  });

  it("tells the forms of uploads, what is sent that is no JSON, and how a refusal looks", async () => {
    const { paths } = await describe_();
    const upload = paths["/api/ota/admin/upload"].post.requestBody.content["multipart/form-data"].schema;
    expect(upload.properties.file).to.include({ format: "binary" });
    expect(upload.properties).to.include.keys("release", "is_stable");
    expect(upload.required).to.deep.equal(["file"]);
    for (const url of ["/api/v1/firmware/upload", "/api/content-admin/images"])
      expect(paths[url].post.requestBody.content).to.have.key("multipart/form-data");
    const cancel = paths["/api/rollouts/{id}/cancel"].post.requestBody.content["application/json"].schema;
    expect(cancel.properties).to.have.key("reason");
    const typeOf = (operation: { responses: Record<string, { content: object }> }) =>
      Object.keys(operation.responses["2XX"]?.content ?? {});
    expect(typeOf(paths["/api/ota/download/{id}"].get)).to.deep.equal(["application/octet-stream"]);
    expect(typeOf(paths["/api/events/stream"].get)).to.deep.equal(["text/event-stream"]);
    for (const [url, operations] of Object.entries(paths as Record<string, Record<string, object>>))
      for (const operation of Object.values(operations))
        expect(operation, url).to.have.nested.property("responses.4XX.content.application/json.schema");
  });

  it("speaks of routes that there are, and of their answers as they are", async () => {
    await server.app.ready();
    const known = server.app.routeAccess.map(({ method, url }) => `${method} ${url}`);
    const told = [ANSWERS, BODIES, MEDIA_TYPES].flatMap((each) => Object.keys(each));
    expect(told.filter((key) => !known.includes(key))).to.deep.equal([]);
    const uploaded = await server.upload(await makeRelease("1.1.0"));
    expect(uploaded.statusCode).to.equal(201);
    const check = await server.check();
    const status = await server.status({ status: "downloading", bytes_downloaded: 1 });
    const read = (url: string) => server.admin("GET", url);
    await server.addUser("ada", "viewer");
    const payload = { name: "ada", password: PASSWORD };
    const answers: Record<string, { readonly statusCode: number; json(): unknown }> = {
      "POST /api/ota/admin/upload": uploaded,
      "POST /api/ota/check": check,
      "POST /api/ota/status": status,
      "GET /api/ota/admin/firmware": await read("/api/ota/admin/firmware"),
      "GET /api/ota/admin/firmware/:id": await read("/api/ota/admin/firmware/1"),
      "PATCH /api/ota/admin/firmware/:id": await server.admin("PATCH", "/api/ota/admin/firmware/1", {
        release_notes: "new",
      }),
      "GET /api/ota/admin/logs": await read("/api/ota/admin/logs"),
      "POST /api/rollouts": await server.admin("POST", "/api/rollouts", { firmware_id: 1 }),
      "POST /api/rollouts/:id/start": await server.admin("POST", "/api/rollouts/1/start"),
      "GET /api/rollouts": await read("/api/rollouts"),
      "GET /api/rollouts/:id": await read("/api/rollouts/1"),
      "GET /api/rollouts/:id/plan": await read("/api/rollouts/1/plan"),
      "GET /api/users": await read("/api/users"),
      "PATCH /api/users/:name": await server.admin("PATCH", "/api/users/ada", { role: "operator" }),
      "POST /api/auth/login": await server.app.inject({ method: "POST", url: "/api/auth/login", payload }),
      "GET /api/devices": await read("/api/devices"),
      "GET /api/devices/:id": await read(`/api/devices/${DEVICE_ID}`),
      "GET /api/devices/:id/why": await read(`/api/devices/${DEVICE_ID}/why`),
      "GET /api/devices/:id/timeline": await read(`/api/devices/${DEVICE_ID}/timeline`),
    };
    for (const [key, answer] of Object.entries(answers)) {
      expect(answer.statusCode, key).to.be.within(200, 299);
      const schema = ANSWERS[key];
      expect(schema, key).not.to.equal(undefined);
      if (!schema) continue;
      expect(findFault(schema, answer.json()), key).to.equal(undefined);
      expect(findUntold(schema, answer.json()), key).to.deep.equal([]);
    }
  });

  it("is shown on a page that takes nothing from elsewhere", async () => {
    const page = await server.app.inject("/api/docs");
    expect(page.statusCode).to.equal(200);
    expect(page.headers["content-security-policy"]).to.contain("default-src 'self'").and.not.contain("http");
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => `${link}`);
    expect(links).to.have.length.greaterThan(2);
    for (const link of links) {
      expect(link, link).not.to.match(/^(https?:)?\/\//);
      const url = new URL(link, "http://x/api/docs/").pathname;
      expect((await server.app.inject(url)).statusCode, url).to.equal(200);
    }
  });
});
