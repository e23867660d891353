// Requests that are carried out, for routes where that takes more than a schema can say: they refer to what exists, or have a form. The
// fuzzer damages some of them.

import { PASSWORD } from "../server/test-server.js";
import { LEGACY_TYPE, PICTURE, type Surroundings, SYSTEM } from "./furniture.js";
import { below, chance, pick, type Random } from "./values.js";

export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: Buffer;
}

export interface Recipe {
  /** By their names in the path; `*` is the rest of it. */
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly form?: Form;
}

type Make = (around: Surroundings, random: Random) => Recipe;

export function recipeFor(
  { method, url }: { readonly method: string; readonly url: string },
  around: Surroundings,
  random: Random,
): Recipe | undefined {
  const make = RECIPES[`${method === "HEAD" ? "GET" : method} ${url}`];
  return make?.(around, random);
}

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const idParam = (id: number | string) => ({ params: { id: `${id}` } });
const anyRevision = { "if-match": "*" };
const NEW_PASSWORD = "another correct horse";

const rolloutBody: Make = (_around, random) => ({
  body: {
    firmware_id: pick(random, [1, 2]),
    ...(chance(random, 0.5) ? { name: "fuzz" } : {}),
    ...(chance(random, 0.5)
      ? { stages: [{ percent: 10 + below(random, 50), soak_seconds: 0 }, { percent: 100 }] }
      : {}),
    ...(chance(random, 0.3) ? { target: { hardware: ["esp32"] } } : {}),
    ...(chance(random, 0.3) ? { max_concurrent: 1 + below(random, 5) } : {}),
    ...(chance(random, 0.2) ? { needs_approval: true } : {}),
    ...(chance(random, 0.3)
      ? {
          windows: {
            time_zone: "Europe/Berlin",
            spans: [{ weekdays: [1, 3], from: "22:00", to: "04:00" }],
          },
        }
      : {}),
  },
});
const rolloutChange: Make = ({ rollouts }, random) => ({
  ...idParam(pick(random, [rollouts.draft, rollouts.running, rollouts.paused])),
  headers: anyRevision,
  body: pick(random, [
    { name: "changed" },
    { max_concurrent: 3 },
    { priority: 5 },
    { stages: [{ percent: 60 }, { percent: 100 }] },
    { target: { groups: ["kitchen"] } },
  ]),
});
const orderTo =
  (state: keyof Surroundings["rollouts"]): Make =>
  ({ rollouts }) => ({ ...idParam(rollouts[state]), headers: anyRevision, body: { reason: "fuzz" } });
const ofAction: Make = ({ action }) => ({
  params: { tenant: LEGACY_TYPE, id: action.device, action: `${action.id}`, filename: "old-99.0.0.bin" },
});
const feedback: Make = (around, random) => ({
  ...ofAction(around, random),
  body: {
    status: {
      execution: pick(random, ["proceeding", "download", "downloaded", "closed", "rejected", "canceled"]),
      result: { finished: pick(random, ["none", "success", "failure"]) },
      details: pick(random, [[], ["installing"], [" 38% Checking bundle done."]]),
    },
  },
});
const nodeFile: Make = (_around, random) => ({
  form: {
    fields: { node_type: LEGACY_TYPE, version: versionOf(random) },
    file: Buffer.from(`firmware ${below(random, 1000)}`),
  },
});
const versionOf = (random: Random): string => `1.${below(random, 10_000)}.${below(random, 10_000)}`;

const RECIPES: Readonly<Record<string, Make>> = Object.freeze({
  "GET /api/docs/static/*": (_around, random) => ({
    params: { "*": pick(random, ["index.html", "swagger-ui.css", "swagger-initializer.js"]) },
  }),
  "POST /api/ota/status": ({ attempts }, random) => {
    const { device, firmware } = pick(
      random,
      attempts.length > 0 ? attempts : [{ device: "base-1", firmware: 2 }],
    );
    const status = pick(random, ["downloading", "downloading", "installing", "success", "failed"]);
    return {
      body: { device_id: device, firmware_id: firmware, status, bytes_downloaded: below(random, 30_000) },
    };
  },
  "POST /api/ota/abilities": ({ order }, random) => ({
    body: {
      device_id: order.device,
      digest: `${below(random, 5)}`,
      orders: pick(random, [[], ["restart"], ["identify", "restart", "settings"]]),
      fields: [{ name: "gain", label: "Gain", type: "number", least: 0, most: below(random, 9), step: 0.5 }],
      values: { gain: below(random, 9) },
    },
  }),
  "GET /api/content/:id": (_around, random) => idParam(`base-${below(random, 20)}`),
  "GET /api/arduino/:type": (_around, random) => ({
    params: { type: LEGACY_TYPE },
    headers: {
      "x-esp32-sta-mac": `00:11:22:33:44:${10 + below(random, 80)}`,
      "x-esp32-version": pick(random, ["1.0.0", "99.0.0"]),
      "x-esp32-free-space": "4000000",
    },
  }),
  "POST /api/devices/:id/orders": ({ order }, random) => ({
    ...idParam(order.device),
    body: pick(random, [
      { kind: "identify" },
      { kind: "restart" },
      { kind: "settings", settings: { on: true, gain: 1.5, name: "lamp" } },
    ]),
  }),
  "DELETE /api/devices/:id/orders/:order": ({ order }) => ({
    params: { id: order.device, order: `${order.id}` },
  }),
  "GET /api/bulk-jobs/:id": ({ bulkJob }) => idParam(bulkJob),
  "POST /api/bulk-jobs/:id/cancel": ({ bulkJob }) => idParam(bulkJob),
  "PUT /api/registration/:type": (_around, random) => ({
    params: { type: pick(random, ["base", LEGACY_TYPE]) },
    body: { registration: "open", tokens: pick(random, ["optional", "first-use"]) },
  }),
  "POST /api/audit/:id/undo": ({ undoable }) => idParam(undoable),
  "POST /api/rollouts": rolloutBody,
  "POST /api/rollouts/plan": rolloutBody,
  "PATCH /api/rollouts/:id": rolloutChange,
  "POST /api/rollouts/:id/plan": rolloutChange,
  "POST /api/rollouts/:id/start": orderTo("draft"),
  "POST /api/rollouts/:id/pause": orderTo("running"),
  "POST /api/rollouts/:id/promote": orderTo("running"),
  "POST /api/rollouts/:id/resume": orderTo("paused"),
  "POST /api/rollouts/:id/approve": (around, random) => {
    const { headers, ...rest } = orderTo("awaiting")(around, random);
    return { ...rest, headers: { ...headers, ...as(around.approver) } };
  },
  "POST /api/rollouts/:id/rollback": ({ rollouts }, random) => ({
    ...idParam(pick(random, [rollouts.running, rollouts.paused])),
    headers: anyRevision,
    body: pick(random, [{}, { firmware_id: 2 }, { firmware_id: 1 }]),
  }),
  "POST /api/webhooks": (_around, random) => ({
    body: { url: "https://example.com/hook", events: [pick(random, ["*", "update.*", "rollout.started"])] },
  }),
  "PATCH /api/webhooks/:id": ({ webhook }, random) => ({
    ...idParam(webhook),
    body: pick(random, [{ is_active: true }, { rotate_secret: true }, { url: "https://example.com/other" }]),
  }),
  "POST /api/auth/login": () => ({ body: { name: "viv", password: PASSWORD } }),
  "POST /api/auth/refresh": ({ viv }) => ({ body: { refresh_token: viv.refresh } }),
  "POST /api/auth/password": ({ viv }) => ({
    headers: as(viv.access),
    body: { current_password: PASSWORD, new_password: NEW_PASSWORD },
  }),
  "GET /api/auth/sessions": ({ viv }) => ({ headers: as(viv.access) }),
  "DELETE /api/auth/sessions/:id": ({ viv, sessionId }) => ({
    ...idParam(sessionId),
    headers: as(viv.access),
  }),
  "POST /api/tokens": (_around, random) => ({
    body: { name: `token ${below(random, 1000)}`, scopes: ["read"], user: "viv" },
  }),
  "POST /api/setup/look": ({ link }) => ({ body: { token: link } }),
  "POST /api/setup": ({ link }) => ({ body: { token: link, password: NEW_PASSWORD } }),
  "GET /:tenant/controller/v1/:id": (_around, random) => ({
    params: { tenant: LEGACY_TYPE, id: `hb-${below(random, 400)}` },
  }),
  "PUT /:tenant/controller/v1/:id/configData": ({ action }) => ({
    params: { tenant: LEGACY_TYPE, id: action.device },
    body: { data: { version: "1.0.0", serial: "7" } },
  }),
  "GET /:tenant/controller/v1/:id/deploymentBase/:action": ofAction,
  "GET /:tenant/controller/v1/:id/deploymentBase/:action/artifacts/:filename": ofAction,
  "POST /:tenant/controller/v1/:id/deploymentBase/:action/feedback": feedback,
  "GET /:tenant/controller/v1/:id/cancelAction/:action": ofAction,
  "POST /:tenant/controller/v1/:id/cancelAction/:action/feedback": feedback,
  "POST /api/ota/admin/upload": ({ fresh }, random) => ({
    form: {
      fields: { release: fresh.release, ...(chance(random, 0.5) ? { is_stable: "false" } : {}) },
      file: fresh.image,
    },
  }),
  "POST /api/ota/admin/firmware": ({ legacySha256 }, random) => ({
    body: { file_hash: legacySha256, device_type: LEGACY_TYPE, version: versionOf(random) },
  }),
  "POST /api/v1/firmware/upload": nodeFile,
  "POST /api/devices/orders": (_around, random) => ({
    body: { devices: [`base-${below(random, 20)}`], kind: pick(random, ["restart", "identify"]) },
  }),
  "POST /api/ota/freshness": () => ({
    body: { device_id: "base-000001", device_type: "base", nonce: "0123456789abcdef".repeat(2) },
  }),
  "POST /api/v1/roots": ({ freshRoot }) => ({ body: { root: freshRoot } }),
  "GET /api/v1/roots/:version": () => ({ params: { version: "1" } }),
  "POST /api/v1/systems": ({ freshSystem }) => ({ body: { manifest: freshSystem } }),
  "GET /api/v1/systems/:name/manifest": () => ({ params: { name: SYSTEM } }),
  "GET /firmware/:device/:version": (_around, random) => ({
    params: { device: "base", version: pick(random, ["1.1.0", "latest"]) },
  }),
  "POST /api/v1/ota/updates/:id/nodes": ({ distribution }, random) => ({
    ...idParam(distribution),
    body: {
      node_id: `node-${below(random, 50)}`,
      status: pick(random, ["pending", "transferring", "staged", "completed", "failed"]),
      current_part: below(random, 30),
      total_parts: 30,
    },
  }),
  "POST /api/v1/ota/updates/:id/finish": ({ distribution }, random) => ({
    ...idParam(distribution),
    body: { status: pick(random, ["completed", "failed"]) },
  }),
  "POST /api/content-admin/images": () => ({ form: { fields: { name: "a picture" }, file: PICTURE } }),
  "GET /api/content-admin/images/:id": ({ picture }) => idParam(picture),
  "DELETE /api/content-admin/images/:id": ({ picture }) => idParam(picture),
  "POST /api/content-admin/assignments": ({ picture }, random) => ({
    body: {
      image_id: picture,
      target: pick(random, [
        { kind: "default" },
        { kind: "type", name: "base" },
        { kind: "device", name: "base-1" },
      ]),
      ...(chance(random, 0.3) ? { until: "2030-01-01T00:00:00Z" } : {}),
    },
  }),
  "DELETE /api/content-admin/assignments/:id": ({ assignment }) => idParam(assignment),
});
