// API tokens that are bound to some device types: they cannot change what concerns every type, or another one.

import { expect } from "chai";
import { TestServer } from "../test-server.js";

describe("a token for some device types", () => {
  let server: TestServer;
  let token: string;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.addUser("ada", "admin");
    const scopes = ["read", "releases:write", "devices:write", "settings:write", "users:write", "audit:read"];
    const body = { name: "led", user: "ada", scopes, device_types: ["led"] };
    token = (await server.admin("POST", "/api/tokens", body)).json().token;
  });
  afterEach(() => server.close());

  const status = async (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", url: string, body?: object) =>
    (await server.as(token, method, url, body)).statusCode;

  it("sets signatures and registration of its types only", async () => {
    const policy = { registration: "open", tokens: "optional" };
    for (const [type, expected] of [
      ["led", 200],
      ["base", 403],
    ] as const) {
      expect(await status("PUT", `/api/types/${type}`, { kind: "legacy" }), type).to.equal(expected);
      expect(await status("PUT", `/api/registration/${type}`, policy), type).to.equal(expected);
      expect(await status("DELETE", `/api/registration/${type}`), type).to.equal(expected);
    }
    expect(await status("PUT", "/api/registration/*", policy)).to.equal(403);
    expect(await status("DELETE", "/api/registration/*")).to.equal(403);
    expect(await server.store.listPolicies()).to.deep.equal([]);
    expect((await server.store.listTypes()).map(({ name }) => name)).to.deep.equal(["led"]);
  });

  it("cannot create or change users, who would not be bound", async () => {
    const eve = { name: "eve", role: "admin", password: "correct horse battery" };
    expect(await status("POST", "/api/users", eve)).to.equal(403);
    expect(await status("PATCH", "/api/users/ada", { password: "another horse battery" })).to.equal(403);
    expect(await status("POST", "/api/users/ada/link")).to.equal(403);
  });

  it("cannot send the events of all types to a webhook", async () => {
    const hook = { url: "https://hooks.example/a", events: ["*"] };
    expect(await status("POST", "/api/webhooks", hook)).to.equal(403);
    const { id } = (await server.admin("POST", "/api/webhooks", hook)).json();
    expect(await status("PATCH", `/api/webhooks/${id}`, { url: "https://evil.example/" })).to.equal(403);
    expect(await status("DELETE", `/api/webhooks/${id}`)).to.equal(403);
    expect((await server.store.listWebhooks()).map(({ url }) => url)).to.deep.equal([hook.url]);
  });
});

describe("the audit log of webhooks", () => {
  it("shows operators that a URL was changed, without the secrets that it often contains", async () => {
    const server = await TestServer.open();
    const { access } = await server.addUser("ada", "operator");
    const made = await server.admin("POST", "/api/webhooks", {
      url: "https://hooks.example/services/T0PSECRET",
      events: ["*"],
    });
    await server.admin("PATCH", `/api/webhooks/${made.json().id}`, {
      url: "https://hooks.example/T1PSECRET",
    });
    const answer = await server.as(access, "GET", "/api/audit?subject=webhook");
    expect(answer.body).not.to.contain("PSECRET");
    const [changed] = answer.json().entries;
    expect(changed.before.url).to.match(/^https:\/\/hooks\.example\/… \([0-9a-f]{8}\)$/);
    expect(changed.after.url).not.to.equal(changed.before.url);
    await server.close();
  });
});
