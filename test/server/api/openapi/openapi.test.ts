import { expect } from "chai";
import { BODIES } from "../../../../server/api/openapi/bodies.js";
import { TestServer } from "../../test-server.js";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security: readonly object[];
  readonly tags: readonly string[];
}

describe("the description of the API", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const describe_ = async () => (await server.app.inject("/api/docs/json")).json();

  it("is OpenAPI 3.1 and names every route that is not a page", async () => {
    const { openapi, paths } = await describe_();
    expect(openapi).to.equal("3.1.0");
    const described = new Set(
      Object.entries(paths as Record<string, object>).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    const isPage = (url: string) =>
      !/^\/(api|:tenant|manifest|healthz|readyz|metrics)/.test(url) || url.startsWith("/api/docs");
    const missing = server.app.routeAccess
      .filter(({ url }) => !isPage(url))
      .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, "{$1}")}`)
      .filter((route) => !described.has(route));
    expect(missing).to.deep.equal([]);
    expect(described.size).to.be.greaterThan(60);
  });

  it("gives every operation a summary, a unique id, and its required scope", async () => {
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

  it("contains the same schemas that validate", async () => {
    const { paths } = await describe_();
    const { schema } = paths["/api/ota/check"].post.requestBody.content["application/json"];
    expect(schema.required).to.include.members(["device_id", "device_type", "current_version"]);
    expect(schema.properties.device_id.pattern).to.equal("^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$");
  });

  it("describes the forms of uploads, answers that are not JSON, and the shape of errors", async () => {
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
      Object.keys(operation.responses["200"]?.content ?? {});
    expect(typeOf(paths["/api/ota/download/{id}"].get)).to.deep.equal(["application/octet-stream"]);
    expect(typeOf(paths["/api/events/stream"].get)).to.deep.equal(["text/event-stream"]);
    for (const [url, { head, ...operations }] of Object.entries(
      paths as Record<string, Record<string, object>>,
    ))
      for (const operation of Object.values(operations))
        expect(operation, url).to.have.nested.property("responses.4XX.content.application/json.schema");
  });

  it("refers only to routes that exist", async () => {
    await server.app.ready();
    const known = server.app.routeAccess.map(({ method, url }) => `${method} ${url}`);
    const described = Object.keys(BODIES);
    expect(described.filter((key) => !known.includes(key))).to.deep.equal([]);
  });

  it("is shown on a page that loads nothing from other hosts", async () => {
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
