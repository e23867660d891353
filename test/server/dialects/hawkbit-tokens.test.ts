import { Writable } from "node:stream";
import { expect } from "chai";
import { pino } from "pino";
import type { RouteAccess } from "../../../server/api/guard.js";
import { createApp } from "../../../server/app.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { LegacyServer } from "./legacy-server.js";

const TYPE = "linux-gateway";
const BASE = `/${TYPE}/controller/v1/gw-1`;
const FEEDBACK = { id: 1, status: { execution: "proceeding", result: { finished: "none" } } };

describe("the device API of hawkBit with tokens", () => {
  let legacy: LegacyServer;
  const bundle = Buffer.from("squashfs".repeat(1000));

  const request = (method: string, url: string, authorization?: string, payload?: object) =>
    legacy.server.app.inject({
      method: method as "GET",
      url: url.replace("http://gw.test", ""),
      headers: { host: "gw.test", ...(authorization ? { authorization } : {}) },
      ...(payload ? { payload } : {}),
    });
  const poll = (authorization?: string, base = BASE) => request("GET", base, authorization);
  const policy = (registration: string, tokens = "first-use") =>
    legacy.server.admin("PUT", `/api/registration/${TYPE}`, { registration, tokens });
  const enrolment = async (fields: object = {}) =>
    (
      await legacy.server.admin("POST", "/api/enrolment-tokens", {
        name: "site",
        device_type: TYPE,
        ...fields,
      })
    ).json() as { id: number; token: string };
  const give = (device: string, body: object = {}) =>
    legacy.server.admin("POST", `/api/device-identities/${device}/token`, body);
  const targetToken = async (device = "gw-1"): Promise<string> =>
    `TargetToken ${(await give(device, { device_type: TYPE })).json().token}`;
  const gatewayToken = async (): Promise<string> => `GatewayToken ${(await enrolment()).token}`;

  /** Every request of a client, in order. */
  const whole = async (authorization: string) => {
    expect((await poll(authorization)).statusCode).to.equal(200);
    const config = { mode: "merge", data: { version: "1.0.0" } };
    expect((await request("PUT", `${BASE}/configData`, authorization, config)).statusCode).to.equal(200);
    const link = (await poll(authorization)).json()._links.deploymentBase.href;
    const { deployment } = (await request("GET", link, authorization)).json();
    const { href } = deployment.chunks[0].artifacts[0]._links.download;
    expect((await request("HEAD", href, authorization)).statusCode).to.equal(200);
    const file = await request("GET", href, authorization);
    expect(file.rawPayload.equals(bundle)).to.equal(true);
    expect(file.headers["cache-control"]).to.match(/^private/);
    const closed = { id: 1, status: { execution: "closed", result: { finished: "success" } } };
    expect((await request("POST", `${link}/feedback`, authorization, closed)).statusCode).to.equal(200);
    expect((await poll(authorization)).statusCode).to.equal(200);
    expect(await legacy.server.lastAttempt()).to.include({ status: "success" });
  };

  /** The answer of each of its routes, including any added later. */
  const answers = async (authorization?: string): Promise<readonly [name: string, status: number][]> => {
    await legacy.server.app.ready();
    const routes = legacy.server.app.routeAccess.filter(({ url }: RouteAccess) =>
      url.startsWith("/:tenant/"),
    );
    const all: [string, number][] = [];
    for (const { method, url } of routes) {
      const path = url
        .replace(":tenant", TYPE)
        .replace(":id", "gw-1")
        .replace(":action", "1")
        .replace(":filename", "x.swu");
      const payload = method === "PUT" ? { data: { a: "b" } } : method === "POST" ? FEEDBACK : undefined;
      all.push([`${method} ${url}`, (await request(method, path, authorization, payload)).statusCode]);
    }
    expect(all).to.have.length(8);
    return all;
  };
  const expectClosed = async (authorization?: string) => {
    for (const [name, status] of await answers(authorization)) expect(status, name).to.equal(401);
  };
  const expectOpen = async (authorization?: string) => {
    for (const [name, status] of await answers(authorization)) expect(status, name).to.equal(200);
  };

  beforeEach(async () => {
    legacy = await LegacyServer.open(TYPE);
    legacy.server.nowMs += 1000;
    await legacy.upload(bundle);
  });
  afterEach(() => legacy.close());

  for (const registration of ["enrolment", "approval"] as const) {
    it(`closes every route to clients without one where registration is by ${registration}`, async () => {
      await poll();
      await expectOpen();
      await policy(registration);
      await expectClosed();
      await expectClosed(`TargetToken skd_${"A".repeat(43)}`);
      await expectClosed(`GatewayToken ske_${"A".repeat(43)}`);
      await expectClosed("TargetToken ");
      await expectClosed("Basic Z3ctMTp4");
      await expectOpen(await gatewayToken());
      await expectOpen(await targetToken());
    });
  }

  it("takes a client with the type's token from the poll to the file, and counts it once", async () => {
    await policy("enrolment");
    const { token } = await enrolment({ max_use_count: 1 });
    await whole(`GatewayToken ${token}`);
    const [listed] = (await legacy.server.admin("GET", "/api/enrolment-tokens")).json().enrolment_tokens;
    expect(listed).to.include({ use_count: 1 });
    const second = await poll(`GatewayToken ${token}`, BASE.replace("gw-1", "gw-2"));
    expect(second.json().error).to.equal("ENROLMENT_REQUIRED");
  });

  it("takes a client with its own token there, whether it is new or not", async () => {
    await policy("approval");
    await whole(await targetToken());
  });

  it("refuses the type's token once revoked", async () => {
    await policy("enrolment");
    const { id, token } = await enrolment({ expires_in_days: 2 });
    const authorization = `GatewayToken ${token}`;
    expect((await poll(authorization)).statusCode).to.equal(200);
    expect((await poll(authorization)).statusCode).to.equal(200);
    legacy.server.nowMs += 2 * 86_400_000;
    await expectClosed(authorization);
    legacy.server.nowMs -= 86_400_000;
    await expectOpen(authorization);
    await legacy.server.admin("DELETE", `/api/enrolment-tokens/${id}`);
    await expectClosed(authorization);
  });

  it("accepts no token of another type, nor of another device", async () => {
    await policy("enrolment");
    await legacy.server.admin("PUT", "/api/types/other", { kind: "legacy" });
    await poll(await gatewayToken());
    await expectClosed(`GatewayToken ${(await enrolment({ device_type: "other" })).token}`);
    await expectClosed(await targetToken("gw-2"));
    const foreign = (await give("gw-1x", { device_type: "other" })).json().token;
    expect((await poll(`TargetToken ${foreign}`, BASE.replace("gw-1", "gw-1x"))).statusCode).to.equal(401);
  });

  it("accepts only a device's own token where every device needs its own", async () => {
    await policy("open", "required");
    await expectClosed();
    await expectClosed(await gatewayToken());
    await whole(await targetToken());
  });

  it("requires a device's own token once issued, though the type's suffices for others", async () => {
    await policy("enrolment");
    const [gateway, target] = [await gatewayToken(), await targetToken()];
    await expectClosed(gateway);
    await poll(target);
    await expectClosed(gateway);
    expect((await poll(gateway, BASE.replace("gw-1", "gw-2"))).statusCode).to.equal(200);
  });

  it("lets a device with the type's token wait for its approval, and then offers", async () => {
    await policy("approval");
    const gateway = await gatewayToken();
    expect((await poll(gateway)).json()._links).to.have.all.keys("configData");
    await legacy.server.admin("POST", "/api/device-identities/change", {
      device_ids: ["gw-1"],
      action: "approve",
    });
    expect((await poll(gateway)).json()._links).to.include.keys("deploymentBase");
  });

  it("issues no token to a client that requests one in a device's name by another route", async () => {
    await policy("approval");
    const gateway = await gatewayToken();
    await poll(gateway);
    await legacy.server.admin("POST", "/api/device-identities/change", {
      device_ids: ["gw-1"],
      action: "approve",
    });
    const check = { device_id: "gw-1", device_type: TYPE, keeps_token: true };
    expect((await legacy.server.check(check)).json()).not.to.have.property("device_token");
    expect((await poll(gateway)).statusCode).to.equal(200);
  });

  it("is not bypassed by a check that another route has answered without a token", async () => {
    await policy("approval");
    await legacy.server.admin("DELETE", "/api/ota/admin/firmware/1");
    await poll(await gatewayToken());
    await legacy.server.admin("POST", "/api/device-identities/change", {
      device_ids: ["gw-1"],
      action: "approve",
    });
    const check = { device_id: "gw-1", device_type: TYPE, current_version: "0.0.0", current_build: 0 };
    for (let i = 0; i < 3; i++)
      await legacy.server.app.inject({ method: "POST", url: "/api/ota/check", payload: check });
    await expectClosed();
  });

  it("changes a token without locking the device out", async () => {
    await policy("enrolment");
    const old = await targetToken();
    await poll(old);
    const next = await targetToken();
    expect(next).not.to.equal(old);
    expect((await poll(old)).statusCode).to.equal(200);
    expect((await poll(next)).statusCode).to.equal(200);
    expect((await poll(old)).json().error).to.equal("DEVICE_TOKEN_WRONG");
  });

  it("issues a token only for the device's own type", async () => {
    expect((await give("gw-9")).json().error).to.equal("DEVICE_TYPE_MISSING");
    expect((await give("gw-9", { device_type: TYPE })).statusCode).to.equal(201);
    expect((await give("gw-9", { device_type: "other" })).json().error).to.equal("DEVICE_TYPE_DIFFERS");
    const [entry] = (await legacy.server.admin("GET", "/api/audit?subject=device")).json().entries;
    expect(entry).to.deep.include({ action: "device.token-given", subject: "device/gw-9" });
  });

  it("refuses blocked devices with any token", async () => {
    await policy("enrolment");
    const target = await targetToken();
    await poll(target);
    await legacy.server.admin("POST", "/api/device-identities/change", {
      device_ids: ["gw-1"],
      action: "block",
    });
    for (const [name, status] of await answers(target)) expect(status, name).to.equal(403);
  });

  it("writes no token into the log, the events or the audit log", async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const { store, auth } = legacy.server;
    const blobs = await openFileBlobs(legacy.server.blobFolder);
    const log = pino({ level: "trace" }, sink);
    const app = createApp({ store, blobs, auth, now: () => legacy.server.nowMs, log });
    await policy("enrolment");
    const { token } = await enrolment();
    const target = await targetToken("gw-2");
    for (const authorization of [`GatewayToken ${token}`, target, `GatewayToken ${token}x`])
      for (const url of [BASE, BASE.replace("gw-1", "gw-2"), `${BASE}/deploymentBase/1`])
        await app.inject({ url, headers: { authorization } });
    await app.close();
    const kept = [
      await store.listEvents({ limit: 100 }),
      await store.listAudit({ limit: 100 }),
      await store.findIdentity("gw-2"),
    ];
    expect(lines.join("")).to.contain("/deploymentBase/1");
    const all = lines.join("") + JSON.stringify(kept);
    for (const secret of [token, target]) expect(all).not.to.contain(secret.slice(-43));
  });
});
