// Every route that is not public, asked with a token for one device type about a thing of this type and of another. What its scopes
// are is tested in guard.test.ts. A new route has to say here what it is asked about one type.

import { expect } from "chai";
import type { InjectOptions } from "fastify";
import { pbmHeader } from "../../../firmware/apps/cms/core/pbm.js";
import { signSystem } from "../../../release/system.js";
import type { RouteAccess } from "../../../server/api/guard.js";
import { ACCESS_CACHE_MS } from "../../../server/fast-path/access-cache.js";
import { SCOPE_NAMES } from "../../../server/shared/permissions.js";
import { arduinoImage } from "../dialects/legacy-server.js";
import { releaseKeys, TestServer } from "../test-server.js";

/** What there is of each type; every text in it names the type. */
interface Things {
  readonly type: string;
  readonly device: string;
  readonly firmware: number;
  readonly hash: string;
  readonly rollout: number;
  readonly mesh: number;
  readonly system: number;
  /** Of a system that is not registered. */
  readonly manifest: string;
  readonly image: number;
  readonly assignment: number;
  readonly enrolment: number;
}
type Ask = (things: Things) => Omit<InjectOptions, "method">;

const at = (url: string, payload?: object): Omit<InjectOptions, "method"> =>
  payload === undefined ? { url } : { url, payload };

/** Lists, which are answered to everybody with the scope: only with what is of the own types. */
const LISTS: Readonly<Record<string, string>> = {
  "GET /api/content-admin/assignments": "/api/content-admin/assignments",
  "GET /api/content-admin/images": "/api/content-admin/images",
  "GET /api/device-identities": "/api/device-identities",
  "GET /api/devices": "/api/devices",
  "GET /api/devices/labels": "/api/devices/labels",
  "GET /api/enrolment-tokens": "/api/enrolment-tokens",
  "GET /api/events": "/api/events?limit=500",
  "GET /api/fleet/history": "/api/fleet/history",
  "GET /api/ota/admin/firmware": "/api/ota/admin/firmware",
  "GET /api/ota/admin/logs": "/api/ota/admin/logs",
  "GET /api/registration": "/api/registration",
  "GET /api/removed-devices": "/api/removed-devices",
  "GET /api/rollouts": "/api/rollouts",
  "GET /api/types": "/api/types",
  "GET /api/v1/firmware": "/api/v1/firmware",
  "GET /api/v1/ota/updates": "/api/v1/ota/updates",
  "GET /api/v1/ota/updates/pending": "/api/v1/ota/updates/pending",
  "GET /api/v1/systems": "/api/v1/systems",
};

/** Lists that a filter makes one of another type's: they are empty then. */
const FILTERED: readonly ((things: Things) => string)[] = [
  ({ type }) => `/api/devices?type=${type}`,
  ({ device }) => `/api/devices?search=${device}`,
  ({ device }) => `/api/events?device_id=${device}`,
  ({ type }) => `/api/fleet/history?device_type=${type}`,
  ({ type }) => `/api/ota/admin/firmware?device_type=${type}`,
  ({ firmware }) => `/api/ota/admin/logs?firmware_id=${firmware}`,
  ({ device }) => `/api/ota/admin/logs?device_id=${device}`,
  ({ type }) => `/api/rollouts?device_type=${type}`,
  ({ device }) => `/api/removed-devices?search=${device}`,
  ({ firmware }) => `/api/rollouts?firmware_id=${firmware}`,
  ({ image }) => `/api/content-admin/assignments?image_id=${image}`,
  ({ type }) => `/api/v1/firmware?node_type=${type}`,
  ({ type }) => `/api/v1/systems?name=system-${type}`,
];

const POLICY = { registration: "enrolment", tokens: "optional" };

/** About one thing. In the order in which the owner of a type may do all of it. */
const ONE: Readonly<Record<string, Ask>> = {
  "GET /api/devices/:id/readings": ({ device }) => at(`/api/devices/${device}/readings`),
  "GET /api/content-admin/devices/:id": ({ device }) => at(`/api/content-admin/devices/${device}`),
  "GET /api/content-admin/images/:id": ({ image }) => at(`/api/content-admin/images/${image}`),
  "GET /api/devices/:id": ({ device }) => at(`/api/devices/${device}`),
  "GET /api/devices/:id/orders": ({ device }) => at(`/api/devices/${device}/orders`),
  "GET /api/devices/:id/timeline": ({ device }) => at(`/api/devices/${device}/timeline`),
  "GET /api/devices/:id/why": ({ device }) => at(`/api/devices/${device}/why`),
  "GET /api/ota/admin/firmware/:id": ({ firmware }) => at(`/api/ota/admin/firmware/${firmware}`),
  "GET /api/removed-devices/:id": ({ device }) => at(`/api/removed-devices/${device}-old`),
  "GET /api/rollouts/:id": ({ rollout }) => at(`/api/rollouts/${rollout}`),
  "GET /api/rollouts/:id/devices": ({ rollout }) => at(`/api/rollouts/${rollout}/devices`),
  "GET /api/rollouts/:id/plan": ({ rollout }) => at(`/api/rollouts/${rollout}/plan`),
  "GET /api/rollouts/:id/rollback": ({ rollout }) => at(`/api/rollouts/${rollout}/rollback`),
  "GET /api/v1/ota/updates/:id": ({ mesh }) => at(`/api/v1/ota/updates/${mesh}`),
  "GET /api/v1/systems/:id": ({ system }) => at(`/api/v1/systems/${system}`),
  // Of devices, which people and programs may ask for too. The types are closed.
  "GET /api/content/:id": ({ device }) => at(`/api/content/${device}`),
  "GET /api/ota/download/:id": ({ firmware }) => at(`/api/ota/download/${firmware}`),
  "GET /api/ota/download/:id/digests": ({ firmware }) => at(`/api/ota/download/${firmware}/digests`),
  "GET /api/ota/download/:id/release": ({ firmware }) => at(`/api/ota/download/${firmware}/release`),
  "GET /api/v1/systems/:name/manifest": ({ type }) => at(`/api/v1/systems/system-${type}/manifest`),
  "GET /firmware/:device/:version": ({ type }) => at(`/firmware/${type}/1.2.0`),
  "HEAD /firmware/:device/:version": ({ type }) => at(`/firmware/${type}/1.2.0`),
  "GET /api/ota/files/:sha256": ({ hash }) => at(`/api/ota/files/${hash}`),
  "GET /api/web-tools/:type/manifest.json": ({ type }) => at(`/api/web-tools/${type}/manifest.json`),
  "GET /manifest": ({ type }) => at(`/manifest?types=${type}`),
  "HEAD /api/content/:id": ({ device }) => at(`/api/content/${device}`),
  "HEAD /api/ota/download/:id": ({ firmware }) => at(`/api/ota/download/${firmware}`),
  "HEAD /api/ota/download/:id/digests": ({ firmware }) => at(`/api/ota/download/${firmware}/digests`),
  "HEAD /api/ota/files/:sha256": ({ hash }) => at(`/api/ota/files/${hash}`),

  "POST /api/rollouts/plan": ({ firmware }) => at("/api/rollouts/plan", { firmware_id: firmware }),
  "POST /api/rollouts": ({ firmware, type }) =>
    at("/api/rollouts", { firmware_id: firmware, name: `rollout-${type} again` }),
  "POST /api/rollouts/:id/plan": ({ rollout }) => at(`/api/rollouts/${rollout}/plan`, { priority: 1 }),
  "PATCH /api/rollouts/:id": ({ rollout }) => ({
    ...at(`/api/rollouts/${rollout}`, { priority: 1 }),
    headers: { "if-match": "*" },
  }),
  ...Object.fromEntries(
    ["start", "pause", "resume", "promote", "approve", "rollback", "cancel"].map((word) => [
      `POST /api/rollouts/:id/${word}`,
      ({ rollout, firmware }: Things) =>
        at(`/api/rollouts/${rollout}/${word}`, word === "rollback" ? { firmware_id: firmware } : {}),
    ]),
  ),
  "POST /api/v1/ota/updates": ({ firmware }) => at("/api/v1/ota/updates", { firmware_id: firmware }),
  "POST /api/v1/ota/updates/:id/nodes": ({ mesh }) =>
    at(`/api/v1/ota/updates/${mesh}/nodes`, { node_id: "n1", status: "transferring" }),
  "POST /api/v1/ota/updates/:id/finish": ({ mesh }) =>
    at(`/api/v1/ota/updates/${mesh}/finish`, { status: "failed" }),
  "POST /api/v1/systems": ({ manifest }) => at("/api/v1/systems", { manifest }),
  "PATCH /api/v1/systems/:id": ({ system }) => at(`/api/v1/systems/${system}`, { is_active: true }),
  "DELETE /api/v1/systems/:id": ({ system }) => at(`/api/v1/systems/${system}`),
  "DELETE /api/v1/ota/updates/:id": ({ mesh }) => at(`/api/v1/ota/updates/${mesh}`),
  "POST /api/devices/:id/orders": ({ device }) => at(`/api/devices/${device}/orders`, { kind: "restart" }),
  "DELETE /api/devices/:id/orders/:order": ({ device }) => at(`/api/devices/${device}/orders/1`),
  "PATCH /api/devices/:id": ({ device }) => at(`/api/devices/${device}`, { tags: ["x"] }),
  "POST /api/device-identities/:id/token": ({ device }) => at(`/api/device-identities/${device}/token`, {}),
  "POST /api/enrolment-tokens": ({ type }) =>
    at("/api/enrolment-tokens", { name: `batch-${type} again`, device_type: type }),
  "DELETE /api/enrolment-tokens/:id": ({ enrolment }) => at(`/api/enrolment-tokens/${enrolment}`),
  "PUT /api/types/:name": ({ type }) => at(`/api/types/${type}`, { kind: "legacy" }),
  "PUT /api/registration/:type": ({ type }) => at(`/api/registration/${type}`, POLICY),
  "DELETE /api/registration/:type": ({ type }) => at(`/api/registration/${type}`),
  "POST /api/content-admin/assignments": ({ image, type }) =>
    at("/api/content-admin/assignments", { image_id: image, target: { kind: "type", name: type } }),
  "DELETE /api/content-admin/assignments/:id": ({ assignment }) =>
    at(`/api/content-admin/assignments/${assignment}`),
  "DELETE /api/content-admin/images/:id": ({ image }) => at(`/api/content-admin/images/${image}`),
  "POST /api/ota/admin/firmware": ({ hash, type }) =>
    at("/api/ota/admin/firmware", { file_hash: hash, device_type: type, version: "2.0.0" }),
  "PATCH /api/ota/admin/firmware/:id": ({ firmware }) =>
    at(`/api/ota/admin/firmware/${firmware}`, { release_notes: "x" }),
  "DELETE /api/ota/admin/firmware/:id": ({ firmware }) => at(`/api/ota/admin/firmware/${firmware}`),
  "DELETE /api/devices/:id": ({ device }) => at(`/api/devices/${device}?history=erase`),
};

/** Each device is changed or refused by itself: the answer is 200, and says so for each. */
const MANY: Readonly<Record<string, Ask>> = {
  "POST /api/device-identities/change": ({ device }) =>
    at("/api/device-identities/change", { device_ids: [device], action: "approve" }),
  "POST /api/devices/bulk": ({ device }) =>
    at("/api/devices/bulk", { devices: [device], kind: "labels", labels: { tags: ["x"] } }),
  "POST /api/devices/labels": ({ device }) => at("/api/devices/labels", { devices: [device], tags: ["x"] }),
  "POST /api/devices/orders": ({ device }) =>
    at("/api/devices/orders", { devices: [device], kind: "restart" }),
};

/** The manifest of a system with one component. */
async function signSystemOf(type: string, version: string, sha256: string): Promise<string> {
  const component = { name: type, type, hardware: "esp32", version: "1.2.0", build: 0, sha256 };
  const payload = {
    format: 1,
    name: `system-${type}`,
    version,
    components: [component],
    rebootDelaySeconds: 5,
    healthTimeoutSeconds: 30,
    created: 1,
  } as const;
  return signSystem(payload, (await releaseKeys()).privateKey);
}

/** Forms: tested below. */
const FORMS: readonly string[] = [
  "POST /api/devices/abilities",
  "POST /api/content-admin/images",
  "POST /api/ota/admin/upload",
  "POST /api/v1/firmware/upload",
];

/** What only a device may ask: closed-routes.test.ts. */
const isDevices = ({ method, url, access }: RouteAccess): boolean =>
  access === "device" &&
  (/^(POST|PUT)$/.test(method) || url.includes("/controller/") || url.includes("arduino"));

describe("a token for one device type", () => {
  let server: TestServer;
  let led: Things;
  let base: Things;
  const tokens = new Map<string, string>();

  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined, addressRate: undefined });
    await server.app.ready();
    await server.addUser("ada", "admin");
    for (const type of ["led", "base"]) {
      const body = { name: `for ${type}`, user: "ada", scopes: SCOPE_NAMES, device_types: [type] };
      tokens.set(type, (await server.admin("POST", "/api/tokens", body)).json().token);
    }
    await server.admin("POST", "/api/webhooks", { url: "https://hooks.example/led-base", events: ["*"] });
    led = await make("led");
    base = await make("base");
  });
  afterEach(() => server.close());

  const created = async (url: string, payload: object): Promise<{ id: number }> => {
    const answer = await server.admin("POST", url, payload);
    expect(answer.statusCode, answer.body).to.equal(201);
    return answer.json();
  };
  const form = async (url: string, fields: Record<string, string>, file: Buffer, token: string) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set("file", new Blob([new Uint8Array(file)]), "file.bin");
    const encoded = new Response(form);
    return server.app.inject({
      method: "POST",
      url,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
  };
  const pbm = (mark: string) => Buffer.concat([Buffer.from(pbmHeader(16, 2)), Buffer.from(mark.padEnd(4))]);

  async function make(type: string): Promise<Things> {
    await server.admin("PUT", `/api/types/${type}`, { kind: "legacy" });
    const fields = { device_type: type, version: "1.2.0", release_notes: `notes-${type}`, is_stable: "true" };
    const uploaded = await server.upload({ image: arduinoImage(`image-${type}`) }, fields);
    const { id: firmware, file_hash: hash } = uploaded.json();
    // The other is in a rollout, and so in no public manifest.
    await server.upload({ image: arduinoImage(`older-${type}`) }, { ...fields, version: "1.1.0" });
    const device = `${type}-1`;
    await server.check({ device_id: device, device_type: type, current_version: "1.0.0", image_sha256: "" });
    await server.admin("PATCH", `/api/devices/${device}`, { tags: [`tag-${type}`], group: `group-${type}` });
    await server.check({
      device_id: `${device}-old`,
      device_type: type,
      current_version: "1.0.0",
      image_sha256: "",
    });
    await server.admin("DELETE", `/api/devices/${device}-old`);
    const rollout = await created("/api/rollouts", { firmware_id: firmware, name: `rollout-${type}` });
    const mesh = await created("/api/v1/ota/updates", { firmware_id: firmware });
    const [manifest, registered] = await Promise.all(
      ["2.0.0", "1.2.0"].map((version) => signSystemOf(type, version, hash)),
    );
    const system = await created("/api/v1/systems", { manifest: registered });
    const image = (
      await form("/api/content-admin/images", { name: `picture-${type}` }, pbm(type), server.token)
    ).json();
    const assignment = await created("/api/content-admin/assignments", {
      image_id: image.id,
      target: { kind: "type", name: type },
    });
    const enrolment = await created("/api/enrolment-tokens", { name: `batch-${type}`, device_type: type });
    await server.admin("PUT", `/api/registration/${type}`, POLICY);
    server.nowMs += ACCESS_CACHE_MS;
    return {
      type,
      device,
      firmware,
      hash,
      rollout: rollout.id,
      mesh: mesh.id,
      system: system.id,
      manifest: manifest ?? "",
      image: image.id,
      assignment: assignment.id,
      enrolment: enrolment.id,
    };
  }

  const routes = () => server.app.routeAccess.filter(({ method }) => method !== "OPTIONS");
  const nameOf = ({ method, url }: RouteAccess) => `${method} ${url}`;
  const ask = (type: string | undefined, name: string, question: Omit<InjectOptions, "method">) => {
    const token = type === undefined ? {} : { authorization: `Bearer ${tokens.get(type)}` };
    return server.app.inject({
      ...question,
      method: name.split(" ")[0] as "GET",
      headers: { ...question.headers, ...token },
    });
  };
  /** What an answer may tell nobody who is bound to another type. */
  const marksOf = ({ type, hash }: Things): readonly string[] => [
    `${type}-1`,
    `tag-${type}`,
    `group-${type}`,
    `notes-${type}`,
    `rollout-${type}`,
    `batch-${type}`,
    `picture-${type}`,
    `image-${type}`,
    `"${type}"`,
    hash,
  ];
  const told = (body: string, things: Things, question: Omit<InjectOptions, "method">) => {
    const asked = JSON.stringify(question);
    return marksOf(things).filter((mark) => body.includes(mark) && !asked.includes(mark.replaceAll('"', "")));
  };
  /** Everything, as an administrator sees it. */
  const snapshot = async () => {
    const all: Record<string, string> = {};
    for (const url of [...Object.values(LISTS), "/api/audit?limit=500", "/api/webhooks", "/api/users"])
      all[url] = (await server.admin("GET", url)).body;
    return all;
  };
  const pairs = (): readonly (readonly [own: Things, other: Things])[] => [
    [led, base],
    [base, led],
  ];

  it("is asked here about every route", () => {
    const covered = [...Object.keys(LISTS), ...Object.keys(ONE), ...Object.keys(MANY), ...FORMS];
    const others = routes().filter(
      (route) =>
        !["public", "known", "person", "users:write"].includes(route.access ?? "") &&
        !route.isOfAllTypes &&
        !isDevices(route),
    );
    expect(others.map(nameOf).sort()).to.deep.equal(covered.sort());
    expect(
      routes()
        .filter(({ isOfAllTypes }) => isOfAllTypes)
        .map(nameOf)
        .sort(),
    ).to.deep.equal([
      "DELETE /api/webhooks/:id",
      "GET /api/audit",
      "GET /api/bulk-jobs",
      "GET /api/bulk-jobs/:id",
      "GET /api/events/stream",
      "GET /api/fleet",
      "GET /api/v1/roots",
      "GET /api/webhooks",
      "GET /api/webhooks/:id",
      "GET /api/webhooks/:id/deliveries",
      "GET /metrics",
      "PATCH /api/webhooks/:id",
      "POST /api/audit/:id/undo",
      "POST /api/bulk-jobs",
      "POST /api/bulk-jobs/:id/cancel",
      "POST /api/v1/roots",
      "POST /api/webhooks",
      "POST /api/webhooks/:id/deliveries/:delivery_id/retry",
      "POST /api/webhooks/:id/test",
    ]);
  });

  it("is refused by what belongs to every type, to people, and to users", async () => {
    const before = await snapshot();
    for (const route of routes()) {
      const isClosed = route.isOfAllTypes || route.access === "person" || route.access === "users:write";
      if (!isClosed) continue;
      const url = route.url.replace(/:[a-z_]+/g, "1");
      const answer = await ask("led", nameOf(route), at(url, route.method === "GET" ? undefined : {}));
      // A body is read before the user is looked at, and what is wrong with it tells nothing.
      expect(answer.statusCode, nameOf(route)).to.equal(403);
    }
    expect(await snapshot()).to.deep.equal(before);
  });

  it("sees in lists what is of its type, and nothing of another", async () => {
    for (const [own, other] of pairs()) {
      for (const [name, url] of Object.entries(LISTS)) {
        const answer = await ask(own.type, name, at(url));
        expect(answer.statusCode, name).to.equal(200);
        expect(told(answer.body, other, at(url)), `${name} tells ${own.type}`).to.deep.equal([]);
        expect(told(answer.body, own, at(url)), `${name} hides from ${own.type}`).not.to.deep.equal([]);
        expect((await ask(undefined, name, at(url))).statusCode, name).to.equal(401);
      }
      for (const filtered of FILTERED) {
        const url = filtered(other);
        const answer = await ask(own.type, "GET", at(url));
        expect(answer.statusCode, url).to.equal(200);
        expect(told(answer.body, other, at(url)), url).to.deep.equal([]);
        expect(answer.body, url).not.to.match(/"(id|device_id)":/);
        const mine = filtered(own);
        expect((await ask(own.type, "GET", at(mine))).body, mine).to.match(/"(id|device_id|device_type)":/);
      }
    }
  });

  it("reads and changes nothing of another type, nor does who has none", async () => {
    const before = await snapshot();
    for (const [own, other] of pairs()) {
      for (const [name, question] of Object.entries(ONE)) {
        const asked = question(other);
        const answer = await ask(own.type, name, asked);
        expect(answer.statusCode, `${own.type}: ${name} ${answer.body}`).to.be.oneOf([403, 404]);
        expect(told(answer.body, other, asked), name).to.deep.equal([]);
        if (!JSON.stringify(asked).includes(other.type))
          expect(answer.body, name).not.to.match(new RegExp(`\\b${other.type}\\b`));
        expect((await ask(undefined, name, asked)).statusCode, name).to.be.oneOf([401, 404]);
      }
      for (const [name, question] of Object.entries(MANY)) {
        const answer = await ask(own.type, name, question(other));
        expect(answer.statusCode, name).to.equal(200);
        expect(answer.body, name).to.contain("FORBIDDEN");
        expect((await ask(undefined, name, question(other))).statusCode, name).to.equal(401);
      }
    }
    const after = await snapshot();
    for (const [url, body] of Object.entries(before)) expect(after[url], url).to.equal(body);
  });

  it("changes all devices that a filter finds, of its type", async () => {
    for (const [own, other] of pairs()) {
      const bulk = at("/api/devices/bulk", { filter: {}, kind: "labels", labels: { tags: [own.type] } });
      const answer = await ask(own.type, "POST", bulk);
      expect(answer.json()).to.deep.equal({ done: 1, refused: [], next: null });
      expect((await server.store.findLabels(own.device)).tags).to.deep.equal([own.type]);
      expect((await server.store.findLabels(other.device)).tags).not.to.include(own.type);
    }
  });

  it("uploads for its own type only, and shows nobody its pictures before they are assigned", async () => {
    for (const [own, other] of pairs()) {
      const token = tokens.get(own.type) ?? "";
      const [mine, theirs] = [own, other].map(({ type }) => ({ version: "3.0.0", type }));
      for (const url of ["/api/ota/admin/upload", "/api/v1/firmware/upload"])
        for (const { version, type } of [theirs, mine] as { version: string; type: string }[]) {
          const fields = { device_type: type, version: url.includes("v1") ? "3.0.1" : version };
          const answer = await form(url, fields, arduinoImage(`${url}-${own.type}`), token);
          expect(answer.statusCode, `${url} ${type} ${answer.body}`).to.equal(type === own.type ? 201 : 403);
        }
      const name = `picture-${own.type} again`;
      const picture = await form("/api/content-admin/images", { name }, pbm("abc"), token);
      expect(picture.statusCode).to.equal(201);
      const url = `/api/content-admin/images/${picture.json().id}`;
      expect((await ask(own.type, "GET", at(url))).statusCode).to.equal(200);
      expect((await ask(other.type, "GET", at(url))).statusCode).to.equal(404);
      expect((await ask(other.type, "DELETE", at(url))).statusCode).to.equal(404);
      const target = { kind: "type", name: other.type };
      const assign = at("/api/content-admin/assignments", { image_id: picture.json().id, target });
      expect((await ask(other.type, "POST", assign)).statusCode).to.equal(404);
      expect((await ask(own.type, "POST", assign)).statusCode).to.equal(403);
      expect((await ask(own.type, "DELETE", at(url))).statusCode).to.equal(200);
    }
  });

  it("does everything with what is of its type", async () => {
    for (const [own] of pairs()) {
      for (const [name, question] of [...Object.entries(ONE), ...Object.entries(MANY)]) {
        // It was distributed, has no digests and no token; refused for such reasons, it was let in.
        const answer = await ask(own.type, name, question(own));
        const code = answer.body.startsWith("{") ? answer.json().error : undefined;
        // Only people approve.
        if (code === "PERSON_REQUIRED") continue;
        expect(answer.statusCode, `${name} ${answer.body}`).not.to.be.oneOf([400, 401, 403, 500]);
        expect(answer.body, name).not.to.contain("FORBIDDEN");
        if (answer.statusCode === 404)
          expect(code, name).to.be.oneOf([
            "DIGESTS_UNKNOWN",
            "IMAGE_UNKNOWN",
            "ORDER_UNKNOWN",
            "RELEASE_UNKNOWN",
            "SYSTEM_INCOMPLETE",
          ]);
      }
    }
  });
});
