import { expect } from "chai";
import { prefixOf, readPublicUrl, requireFreePrefix } from "../../../server/runtime/public-url.js";
import { LegacyServer } from "../dialects/legacy-server.js";
import { makeRelease, TestServer } from "../test-server.js";

const ORIGIN = "https://example.com";

describe("the public URL", () => {
  it("is read with its path, whatever slashes it ends with", () => {
    for (const [text, url, prefix] of [
      ["https://example.com", "https://example.com", ""],
      ["HTTPS://Example.COM:443/", "https://example.com", ""],
      ["http://10.0.0.1:8080", "http://10.0.0.1:8080", ""],
      ["https://example.com/ota", "https://example.com/ota", "/ota"],
      ["https://example.com/ota//", "https://example.com/ota", "/ota"],
      ["https://example.com/a/./b/../v1.2_~x/", "https://example.com/a/v1.2_~x", "/a/v1.2_~x"],
    ] as const) {
      expect(readPublicUrl(text)).equal(url);
      expect(prefixOf(readPublicUrl(text)), text).equal(prefix);
    }
    expect(prefixOf(undefined)).equal("");
  });

  it("is refused where nothing can be built on it", () => {
    for (const text of [
      "",
      "example.com/ota",
      "ftp://example.com",
      "https://",
      "https://user:secret@example.com",
      "https://example.com/ota?x=1",
      "https://example.com/ota#part",
      "https://example.com/a//b",
      "https://example.com/a%2fb",
      "https://example.com/a;b",
      'https://example.com/"onload',
      `https://example.com/${"a".repeat(200)}`,
    ])
      expect(() => readPublicUrl(text), text).to.throw("--public-url is");
  });

  it("cannot have the beginning of the server's own paths as its path", async () => {
    expect(() => requireFreePrefix("/api/x", "/api/devices")).to.throw("cannot begin with /api");
    expect(() => requireFreePrefix("/apis", "/api/devices")).not.to.throw();
    for (const path of ["devices", "api", "manifest/x", "healthz"]) {
      const server = await TestServer.open({ publicUrl: `${ORIGIN}/${path}` });
      const problem = await server.app.ready().then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(problem, path).to.include(`cannot begin with /${path.split("/")[0]}`);
      await server.close().catch(() => {});
    }
  });
});

describe("a server under a prefix", () => {
  let server: TestServer;
  let url: string;
  before(async () => {
    server = await TestServer.open({ publicUrl: `${ORIGIN}/ota/` });
    url = await server.app.listen({ host: "127.0.0.1", port: 0 });
    await server.upload(await makeRelease("1.1.0", { image: { chip: "esp32" } }));
  });
  after(() => server.close());

  const check = (version: string) => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      device_id: "base-010203",
      device_type: "base",
      current_version: version,
      current_build: 0,
      slot: "factory",
      slot_state: "factory",
      image_sha256: "a".repeat(64),
      chip: "esp32",
      hardware: "esp32",
    }),
  });
  const asAdmin = { headers: { authorization: "Bearer skx_test-test-test-test-test-test-test-test" } };
  const json = async (path: string, init?: RequestInit) => (await fetch(`${url}${path}`, init)).json();

  it("answers requests with the prefix and without it", async () => {
    for (const path of ["/ota/healthz", "/healthz", "/ota", "/ota/", "/ota?x=1", "/ota/devices?q=/ota"])
      expect((await fetch(`${url}${path}`)).status, path).equal(200);
    for (const path of ["/otahealthz", "/ota/ota/healthz", "/ota/nothing"])
      expect((await fetch(`${url}${path}`)).status, path).equal(404);
  });

  it("gives devices paths that work with the prefix, also where the fast path answers", async () => {
    const offered = await json("/ota/api/ota/check", check("1.0.0"));
    expect(offered.download_url).equal("/ota/api/ota/download/1");
    expect(offered.digests_url).equal("/ota/api/ota/download/1/digests");
    for (const path of [offered.download_url, offered.digests_url])
      expect((await fetch(new URL(path, url))).status, path).equal(200);
    expect((await json("/ota/api/ota/check", check("1.1.0"))).update_available).equal(false);
    expect((await json("/ota/api/ota/check", check("1.1.0"))).update_available).equal(false);
  });

  it("gives other clients and the pages the same paths", async () => {
    const tools = await json("/ota/api/web-tools/base/manifest.json");
    expect(tools.builds[0].parts[0].path).equal("/ota/api/ota/download/1");
    expect(tools.builds[0].ota.path).equal("/ota/api/ota/download/1");
    const pair = await json("/ota/manifest?types=base");
    expect(pair.devices.base.firmware_url).equal("https://example.com/ota/api/ota/download/1");
    expect(pair.devices.base.download_url).equal("/ota/api/ota/download/1");
    expect(pair.devices.base.digests_url).equal("/ota/api/ota/download/1/digests");
    expect((await json("/ota/api/ota/admin/firmware/1", asAdmin)).download_url).equal(
      "/ota/api/ota/download/1",
    );
    const update = await server.admin("POST", "/api/v1/ota/updates", { firmware_id: 1 });
    expect(update.json().download_url).equal("/ota/api/ota/download/1");
  });

  it("serves its pages with links under the prefix", async () => {
    const page = await (await fetch(`${url}/ota/devices/base-010203`)).text();
    const links = [...page.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, link]) => link);
    expect(links).deep.equal(["/ota/dashboard/client.css", "/ota/api/devices", "/ota/dashboard/client.js"]);
    for (const link of links) expect((await fetch(`${url}${link}`, asAdmin)).status, link).equal(200);
    expect(page).to.include('data-base="/ota"');
  });

  it("keeps its cookies to its prefix, and takes them there", async () => {
    await server.addUser("ada", "admin");
    const login = await fetch(`${url}/ota/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: ORIGIN },
      body: JSON.stringify({ name: "ada", password: "correct horse battery", cookie: true }),
    });
    expect(login.status).equal(200);
    const cookies = login.headers.getSetCookie();
    const paths = cookies.map((cookie) => /Path=([^;]*)/.exec(cookie)?.[1]);
    expect(paths).deep.equal(["/ota/api", "/ota", "/ota/api/auth"]);
    const cookie = cookies.map((each) => each.split(";")[0]).join("; ");
    const headers = { cookie, origin: ORIGIN, "content-type": "application/json" };
    expect((await fetch(`${url}/ota/api/users`, { headers })).status).equal(200);
    const out = await fetch(`${url}/ota/api/auth/logout`, { method: "POST", headers, body: "{}" });
    for (const gone of out.headers.getSetCookie())
      expect(gone).to.match(/Path=\/ota(\/api\/auth)?;.*Max-Age=0/);
  });

  it("makes links for people with the prefix", async () => {
    const added = await server.admin("POST", "/api/users", { name: "bob", role: "viewer" });
    expect(added.json().link).to.match(/^\/ota\/setup#/);
    const again = await server.admin("POST", "/api/users/bob/link");
    expect(again.json().link).to.match(/^\/ota\/setup#/);
  });

  it("shows the API's description, whose paths are under the prefix", async () => {
    const docs = await fetch(`${url}/ota/api/docs`);
    expect(docs.status).equal(200);
    const style = /href="([^"]+\.css)"/.exec(await docs.text())?.[1] ?? "";
    const there = new URL(style, `${url}/ota/api/docs`);
    expect(there.pathname).to.match(/^\/ota\/api\/docs\/static\//);
    expect((await fetch(there)).status).equal(200);
    expect((await json("/ota/api/docs/json")).servers).deep.equal([{ url: "/ota" }]);
    const moved = await fetch(`${url}/ota/api/docs/static/index.html`, { redirect: "manual" });
    expect(moved.headers.get("location")).equal("/ota/api/docs/");
  });

  it("gives hawkBit clients links to the public URL, also of a type that is called like the prefix", async () => {
    const legacy = await LegacyServer.open("ota", { publicUrl: `${ORIGIN}/ota` });
    try {
      const direct = await legacy.server.app.listen({ host: "127.0.0.1", port: 0 });
      for (const path of ["/ota/ota/controller/v1/gw-1", "/ota/controller/v1/gw-1"]) {
        const poll = await (await fetch(`${direct}${path}`)).json();
        expect(poll._links, path).deep.equal({
          configData: { href: `${ORIGIN}/ota/ota/controller/v1/gw-1/configData` },
        });
      }
    } finally {
      await legacy.close();
    }
  });
});

describe("a server without a prefix", () => {
  it("gives paths at the root, and knows no other", async () => {
    const server = await TestServer.open({ publicUrl: `${ORIGIN}/` });
    try {
      await server.upload(await makeRelease("1.1.0"));
      expect((await server.check()).json().download_url).equal("/api/ota/download/1");
      expect((await server.app.inject("/ota/healthz")).statusCode).equal(404);
      expect((await server.app.inject("/api/docs/json")).json().servers).deep.equal([{ url: "/" }]);
    } finally {
      await server.close();
    }
  });
});
