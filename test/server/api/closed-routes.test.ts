// Every route of devices, requested for a device of a closed type by another client. A new dialect has to list here what
// its clients request.

import { expect } from "chai";
import type { InjectOptions } from "fastify";
import { signSystem } from "../../../release/system.js";
import { ACCESS_CACHE_MS } from "../../../server/fast-path/access-cache.js";
import { arduinoImage, LegacyServer } from "../dialects/legacy-server.js";
import { releaseKeys } from "../test-server.js";

const TYPE = "old";
/** Also the name of Arduino's clients. */
const ID = "AA:BB:CC:DD:EE:01";
const CHECK = { device_id: ID, device_type: TYPE, current_version: "1.0.0", current_build: 0 };
const CONTROLLER = `/${TYPE}/controller/v1/${ID}`;
const FEEDBACK = { status: { execution: "closed", result: { finished: "failure" } } };

/** The request for each, about firmware 1 and attempt 1. */
const QUESTIONS: Readonly<Record<string, Omit<InjectOptions, "method">>> = {
  "GET /:tenant/controller/v1/:id": { url: CONTROLLER },
  "GET /:tenant/controller/v1/:id/cancelAction/:action": { url: `${CONTROLLER}/cancelAction/1` },
  "GET /:tenant/controller/v1/:id/deploymentBase/:action": { url: `${CONTROLLER}/deploymentBase/1` },
  "GET /:tenant/controller/v1/:id/deploymentBase/:action/artifacts/:filename": {
    url: `${CONTROLLER}/deploymentBase/1/artifacts/old-1.2.0.bin`,
  },
  "GET /api/arduino/:type": {
    url: `/api/arduino/${TYPE}`,
    headers: { "x-esp32-sta-mac": ID, "x-esp32-version": "1.0.0" },
  },
  "GET /api/content/:id": { url: `/api/content/${ID}` },
  "GET /api/ota/download/:id": { url: `/api/ota/download/1?device=${ID}` },
  "GET /api/ota/download/:id/digests": { url: `/api/ota/download/1/digests?device=${ID}` },
  "GET /api/ota/download/:id/release": { url: `/api/ota/download/1/release?device=${ID}` },
  "GET /api/ota/files/:sha256": { url: `/api/ota/files/SHA256?device=${ID}` },
  "GET /api/v1/systems/:name/manifest": { url: `/api/v1/systems/house/manifest?device=${ID}` },
  "GET /api/web-tools/:type/manifest.json": { url: `/api/web-tools/${TYPE}/manifest.json?device=${ID}` },
  "GET /firmware/:device/:version": { url: `/firmware/${TYPE}/latest?device=${ID}` },
  "GET /manifest": { url: `/manifest?types=${TYPE}&device=${ID}` },
  "POST /:tenant/controller/v1/:id/cancelAction/:action/feedback": {
    url: `${CONTROLLER}/cancelAction/1/feedback`,
    payload: FEEDBACK,
  },
  "POST /:tenant/controller/v1/:id/deploymentBase/:action/feedback": {
    url: `${CONTROLLER}/deploymentBase/1/feedback`,
    payload: FEEDBACK,
  },
  "POST /api/devices/:id/heartbeat": { url: `/api/devices/${ID}/heartbeat`, payload: { rssi: -1 } },
  "POST /api/devices/register": { url: "/api/devices/register", payload: CHECK },
  "POST /api/ota/abilities": {
    url: "/api/ota/abilities",
    payload: { device_id: ID, digest: "0123abcd", orders: [], fields: [], values: {} },
  },
  "POST /api/ota/check": { url: "/api/ota/check", payload: CHECK },
  "POST /api/ota/freshness": {
    url: "/api/ota/freshness",
    payload: { device_id: ID, device_type: TYPE, nonce: "0".repeat(32) },
  },
  "POST /api/ota/status": {
    url: "/api/ota/status",
    payload: { device_id: ID, firmware_id: 1, status: "failed", error_code: "X" },
  },
  "PUT /:tenant/controller/v1/:id/configData": {
    url: `${CONTROLLER}/configData`,
    payload: { data: { a: "b" } },
  },
};

describe("a route of devices", () => {
  let legacy: LegacyServer;
  let sha256: string;
  /** The type's token, with which the device registered. */
  let good: string;
  const enrolment = async (fields: object = {}) =>
    (await legacy.server.admin("POST", "/api/enrolment-tokens", { name: "batch", ...fields })).json() as {
      id: number;
      token: string;
    };
  beforeEach(async () => {
    legacy = await LegacyServer.open(TYPE, { deviceRate: undefined });
    const { server } = legacy;
    sha256 = (await legacy.upload(arduinoImage("closed"))).json().file_hash;
    for (const type of [TYPE, "other"])
      await server.admin("PUT", `/api/registration/${type}`, {
        registration: "enrolment",
        tokens: "optional",
      });
    const component = { name: TYPE, type: TYPE, hardware: "esp32", version: "1.2.0", build: 0, sha256 };
    const system = {
      format: 1,
      name: "house",
      version: "9.0.0",
      components: [component, { ...component, name: "other", type: "other" }],
      rebootDelaySeconds: 5,
      healthTimeoutSeconds: 30,
      created: 1,
    } as const;
    const manifest = await signSystem(system, (await releaseKeys()).privateKey);
    await server.admin("POST", "/api/v1/systems", { manifest });
    good = (await enrolment({ device_type: TYPE })).token;
    await server.check({ ...CHECK, image_sha256: "" }, good);
  });
  afterEach(() => legacy.close());

  const ask = async (name: string, credential: string | undefined) => {
    const [method] = name.split(" ");
    const { url, headers, ...more } = QUESTIONS[name] as InjectOptions;
    return legacy.server.app.inject({
      ...more,
      method: method as "GET",
      url: `${url}`.replace("SHA256", sha256),
      headers: { ...headers, ...(credential === undefined ? {} : { authorization: credential }) },
    });
  };
  const names = async () => {
    await legacy.server.app.ready();
    return legacy.server.app.routeAccess
      .filter(({ method, access }) => access === "device" && method !== "HEAD" && method !== "OPTIONS")
      .map(({ method, url }) => `${method} ${url}`)
      .sort();
  };

  it("is covered here, every one of them", async () => {
    expect(await names()).to.deep.equal(Object.keys(QUESTIONS).sort());
  });

  it("answers a client with the type's token", async () => {
    for (const name of await names()) {
      // No picture is assigned, unsigned images have neither digests nor a manifest, and the server has no key for statements; its check had no
      // digest of what the device can do.
      const isMissing = /content|digests$|release$|systems|freshness/.test(name);
      const expected = isMissing ? [404] : name.endsWith("abilities") ? [409] : [200, 201];
      // An attempt that has ended accepts neither reports nor downloads.
      if (/feedback|status|register/.test(name)) continue;
      expect((await ask(name, `Bearer ${good}`)).statusCode, name).to.be.oneOf(expected);
    }
    const codeOf = async (name: string) => (await ask(name, `Bearer ${good}`)).json().error;
    expect(await codeOf("GET /api/v1/systems/:name/manifest")).to.equal("SYSTEM_INCOMPLETE");
    expect(await codeOf("GET /api/ota/download/:id/release")).to.equal("RELEASE_UNKNOWN");
  });

  it("reveals and accepts nothing without it", async () => {
    const { server } = legacy;
    const [revoked, short] = [await enrolment(), await enrolment({ expires_in_days: 1 })];
    await server.admin("DELETE", `/api/enrolment-tokens/${revoked.id}`);
    const ofOther = (await enrolment({ device_type: "other" })).token;
    const made = await server.admin("POST", "/api/device-identities/other-1/token", { device_type: "other" });
    const { token: neighbour } = (
      await server.admin("POST", "/api/device-identities/old-2/token", { device_type: TYPE })
    ).json();
    const open = (await server.check({ device_id: "toy-1", device_type: "toy", keeps_token: true })).json();
    server.nowMs += 86_400_000;
    const { access } = await server.addUser("eve", "viewer");
    const before = await server.lastAttempt();
    const device = await server.store.findDevice(ID);
    for (const shown of [
      undefined,
      "",
      "Bearer",
      "Bearer x",
      `Bearer ${good}x`,
      `Bearer ${revoked.token}`,
      `GatewayToken ${short.token}`,
      `GatewayToken ${ofOther}`,
      `TargetToken ${neighbour}`,
      `TargetToken ${made.json().token}`,
      `Bearer ${open.device_token}`,
      `Basic ${Buffer.from(`${ID}:${neighbour}`).toString("base64")}`,
      `Bearer ${access}`,
    ]) {
      for (const name of await names()) {
        // Users may read images and manifests; they are not devices.
        if (shown === `Bearer ${access}` && /content|download|files|^GET .firmware|manifest/.test(name))
          continue;
        const answer = await ask(name, shown);
        expect(answer.statusCode, `${name} with ${shown}`).to.be.oneOf([401, 403, 404]);
        expect(answer.body, name).not.to.contain("1.2.0");
        expect(answer.body, name).not.to.contain("SYSTEM_INCOMPLETE");
      }
      server.nowMs += ACCESS_CACHE_MS;
    }
    expect(await server.lastAttempt()).to.deep.equal(before);
    expect(await server.store.findDevice(ID)).to.deep.equal(device);
  });
});
