import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import { makeRelease, TestServer } from "../../test-server.js";

const ENCODED = { "accept-encoding": "gzip, br" };

describe("answers that pages read", () => {
  let server: TestServer;
  const get = (url: string, headers: Record<string, string> = {}) =>
    server.app.inject({ url, headers: { authorization: `Bearer ${server.token}`, ...headers } });

  before(async () => {
    server = await TestServer.open();
    for (let number = 1; number <= 30; number++)
      await server.check({ device_id: `base-${number}`, current_version: "1.0.0" });
  });
  after(() => server.close());

  it("are compressed for those that take it, and the same otherwise", async () => {
    const plain = await get("/api/devices?limit=500");
    expect(plain.headers).not.to.have.property("content-encoding");
    expect(plain.json().devices).to.have.length(30);
    const brotli = await get("/api/devices?limit=500", ENCODED);
    expect(brotli.headers).to.include({ "content-encoding": "br", vary: "accept-encoding" });
    expect(brotliDecompressSync(brotli.rawPayload).toString()).to.equal(plain.body);
    expect(brotli.rawPayload.length).to.be.below(plain.rawPayload.length / 5);
    const gzip = await get("/api/devices?limit=500", { "accept-encoding": "gzip" });
    expect(gzip.headers).to.include({ "content-encoding": "gzip" });
    expect(gunzipSync(gzip.rawPayload).toString()).to.equal(plain.body);
  });

  it("are left as they are when they are short", async () => {
    const { headers, statusCode } = await get("/api/devices/base-1", ENCODED);
    expect([statusCode, headers["content-encoding"]]).to.deep.equal([200, undefined]);
  });

  it("have a script and a style of two fifths of their length, which are sent once", async () => {
    for (const path of ["/dashboard/client.js", "/dashboard/client.css"]) {
      const plain = await get(path);
      const first = await get(path, ENCODED);
      expect(first.headers, path).to.include({ "content-encoding": "br", "cache-control": "no-cache" });
      expect(first.rawPayload.length, path).to.be.below(plain.rawPayload.length * 0.4);
      const etag = first.headers.etag as string;
      expect(etag).to.match(/^W\/"[\w-]{22}"$/);
      const again = await get(path, { ...ENCODED, "if-none-match": etag });
      expect([again.statusCode, again.rawPayload.length]).to.deep.equal([304, 0]);
      expect((await get(path, { "if-none-match": 'W/"another"' })).statusCode).to.equal(200);
    }
  });

  it("are not those of devices, of signing in, or of an order", async () => {
    const { id } = (await server.upload(await makeRelease("1.1.0"))).json() as { readonly id: number };
    for (const path of ["", "/release", "/digests"]) {
      const answer = await get(`/api/ota/download/${id}${path}`, ENCODED);
      expect(answer.statusCode, path).to.equal(200);
      expect(answer.headers, path).not.to.have.property("content-encoding");
    }
    await server.addUser("ada", "admin");
    const made = await server.app.inject({
      method: "POST",
      url: "/api/tokens",
      headers: { authorization: `Bearer ${server.token}`, ...ENCODED },
      payload: { name: "x".repeat(64), user: "ada", scopes: ["read"] },
    });
    expect(made.statusCode, made.body).to.equal(201);
    expect(made.headers).not.to.have.property("content-encoding");
    const session = await get("/api/auth/session", ENCODED);
    expect(session.headers).not.to.have.property("content-encoding");
  });
});
