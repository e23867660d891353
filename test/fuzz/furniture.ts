// What exists on the server under test: one record of every kind, so that requests find what they refer to. It is put back now and then, as
// requests remove it, use it up or let it expire.

import { pbmHeader } from "../../firmware/apps/cms/core/pbm.js";
import { readRoot, signRoot } from "../../release/root.js";
import { draftRoot, nextRoot } from "../../release/root-draft.js";
import { readRelease } from "../../release/signing.js";
import { describeSystem, signSystem } from "../../release/system.js";
import { makeRelease, PASSWORD, releaseKeys, type TestServer } from "../server/test-server.js";

/** What requests may refer to. Secrets and ids change while the fuzzer runs. */
export interface Surroundings {
  /** With all scopes. */
  readonly token: string;
  /** With fewer scopes, or revoked. */
  otherTokens: readonly string[];
  readonly image: Buffer;
  readonly release: string;
  readonly sha256: string;
  /** Of a file that states no version. */
  readonly legacySha256: string;
  /** Of a person who is signed in as `viv`, a viewer. */
  viv: { readonly access: string; readonly refresh: string };
  sessionId: string;
  /** Of another administrator, who may approve. */
  approver: string;
  /** Secret of a one-time link. */
  link: string;
  /** Not registered yet. */
  fresh: { readonly image: Buffer; readonly release: string };
  /** A system of the first release, not registered yet. */
  freshSystem: string;
  /** The trust root that follows the newest one. */
  freshRoot: string;
  /** Attempts that are open. */
  attempts: readonly { readonly device: string; readonly firmware: number }[];
  /** Of a legacy device that speaks hawkBit's protocol. */
  action: { readonly device: string; readonly id: number };
  /** A change of many devices. */
  bulkJob: number;
  /** Of the audit log, and can be undone. */
  undoable: number;
  /** A device that may be given orders, and an order that it has. */
  order: { readonly device: string; readonly id: number };
  /** By their states. */
  rollouts: Readonly<Record<"draft" | "running" | "paused" | "awaiting", number>>;
  webhook: number;
  picture: number;
  assignment: number;
  /** Of the mesh, open. */
  distribution: number;
}

export const LEGACY_TYPE = "old";
export const SYSTEM = "doorbell";
const DEVICE_COUNT = 20;
/** In each state. */
const KEPT_ROLLOUTS = 5;
/** More are removed, or the server refuses new ones. */
const MAX_WEBHOOK_COUNT = 20;
export const PICTURE = Buffer.concat([Buffer.from(pbmHeader(16, 2)), Buffer.from([1, 2, 3, 4])]);

/** One key signs roots and releases. */
async function rootAfter(text: string | undefined): Promise<string> {
  const { privateKey, publicKey } = await releaseKeys();
  const key = { x: publicKey.x ?? "", y: publicKey.y ?? "" };
  const expires = 4_000_000_000;
  const draft =
    text === undefined
      ? await draftRoot({
          ...{ version: 1, expires, threshold: 1, releaseThreshold: 1, minSecurityVersion: 0 },
          ...{ root: [key], release: [key], freshness: [], fastForward: [] },
        })
      : await nextRoot(readRoot(text).root, { expires });
  return (await signRoot(draft, privateKey)).text;
}

type Answer = Awaited<ReturnType<TestServer["admin"]>>;
type Row = Readonly<Record<string, unknown>>;

export class Furniture {
  readonly #server: TestServer;
  #around: Surroundings | undefined;
  #refreshCount = 0;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async open(): Promise<Surroundings> {
    const server = this.#server;
    const [first, second] = [await makeRelease("1.1.0"), await makeRelease("1.2.0")];
    for (const made of [first, second]) await server.upload(made);
    await server.admin("PUT", `/api/types/${LEGACY_TYPE}`, { kind: "legacy" });
    await server.upload({ image: Buffer.from("legacy") }, { device_type: LEGACY_TYPE, version: "99.0.0" });
    const { rows } = await server.store.listFirmware({ deviceType: "base" }, { limit: 1, offset: 0 });
    const { rows: legacy } = await server.store.listFirmware(
      { deviceType: LEGACY_TYPE },
      { limit: 1, offset: 0 },
    );
    this.#around = {
      token: server.token,
      otherTokens: [],
      image: first.image,
      release: first.release,
      sha256: rows[0]?.fileHash ?? "",
      legacySha256: legacy[0]?.fileHash ?? "",
      viv: { access: "", refresh: "" },
      sessionId: "",
      approver: "",
      link: "",
      fresh: first,
      freshSystem: "",
      freshRoot: "",
      attempts: [],
      action: { device: "hb-0", id: 1 },
      undoable: 1,
      bulkJob: 1,
      order: { device: "orders-1", id: 1 },
      rollouts: { draft: 1, running: 1, paused: 1, awaiting: 1 },
      webhook: 1,
      picture: 1,
      assignment: 1,
      distribution: 1,
    };
    for (let n = 0; n < DEVICE_COUNT; n++) await server.check({ device_id: `base-${n}` });
    await this.refresh();
    return this.#around;
  }

  /** Work that is refused, because a request has taken away what it needs, leaves what there was. */
  async refresh(): Promise<void> {
    const around = this.#around;
    if (!around) return;
    this.#refreshCount++;
    await this.#policies();
    await this.#people(around);
    await this.#releases(around);
    await this.#devices(around);
    await this.#rollouts(around);
    await this.#others(around);
  }

  async #policies(): Promise<void> {
    const { store } = this.#server;
    for (const { deviceType } of await store.listPolicies()) await store.removePolicy(deviceType);
    await this.#server.admin("PUT", `/api/types/${LEGACY_TYPE}`, { kind: "legacy" });
  }

  async #people(around: Surroundings): Promise<void> {
    const server = this.#server;
    const access: string[] = [];
    for (const [name, role] of [
      ["viv", "viewer"],
      ["max", "admin"],
    ] as const) {
      const settings = { role, password: PASSWORD, is_active: true };
      const known = await server.admin("PATCH", `/api/users/${name}`, settings);
      if (known.statusCode === 404)
        await server.admin("POST", "/api/users", { name, role, password: PASSWORD });
      const signedIn = await server.logIn(name).catch(() => undefined);
      if (signedIn && name === "viv") around.viv = signedIn;
      if (signedIn && name === "max") around.approver = signedIn.access;
      access.push(signedIn?.access ?? "");
    }
    const sessions = await server.as(around.viv.access, "GET", "/api/auth/sessions");
    around.sessionId = String(rowsOf(sessions, "sessions")[0]?.id ?? around.sessionId);
    const made = await server.admin("POST", "/api/tokens", {
      name: `fuzz ${this.#refreshCount}`,
      scopes: ["read"],
      user: "viv",
    });
    around.otherTokens = [around.viv.access, String(bodyOf(made).token ?? "")];
    const guest = `guest${this.#refreshCount}`;
    const added = await server.admin("POST", "/api/users", { name: guest, role: "viewer" });
    around.link = String(bodyOf(added).link ?? "").split("#")[1] ?? around.link;
  }

  async #releases(around: Surroundings): Promise<void> {
    const { store, nowMs } = this.#server;
    around.fresh = await makeRelease(`3.0.${this.#refreshCount}`);
    const { release } = readRelease(around.release);
    const system = { name: SYSTEM, version: `1.0.${this.#refreshCount}`, created: 1 };
    around.freshSystem = await signSystem(
      describeSystem([{ release }], system),
      (await releaseKeys()).privateKey,
    );
    const registered = { ...system, version: `0.1.${this.#refreshCount}` };
    await this.#server.admin("POST", "/api/v1/systems", {
      manifest: await signSystem(describeSystem([{ release }], registered), (await releaseKeys()).privateKey),
    });
    const newest = await store.findNewestRoot();
    around.freshRoot = await rootAfter(newest?.text);
    if (!newest) await this.#server.admin("POST", "/api/v1/roots", { root: around.freshRoot });
    for (const { id } of (await store.listFirmware({}, { limit: 2, offset: 0 })).rows)
      await store.changeFirmware(id, { isActive: true, isStable: true }, nowMs);
    for (const deviceType of ["base", LEGACY_TYPE])
      for (const { id } of (await store.listFirmware({ deviceType }, { limit: 1, offset: 0 })).rows)
        await store.changeFirmware(id, { isActive: true, isStable: true }, nowMs);
  }

  async #devices(around: Surroundings): Promise<void> {
    const server = this.#server;
    for (let n = 0; n < DEVICE_COUNT; n++) await server.check({ device_id: `base-${n}` });
    const attempts = await server.admin("GET", "/api/ota/admin/logs?status=pending&limit=20");
    const open = rowsOf(attempts, "logs").map(({ device_id, firmware_id }) => ({
      device: String(device_id),
      firmware: Number(firmware_id),
    }));
    if (open.length > 0) around.attempts = open;
    const controller = `hb-${this.#refreshCount}`;
    // The first poll has no version; the answer to the second one has the action.
    for (let n = 0; n < 2; n++) await this.#poll(controller);
    await server.app.inject({
      method: "PUT",
      url: `/${LEGACY_TYPE}/controller/v1/${controller}/configData`,
      payload: { data: { version: "1.0.0" } },
    });
    const polled = await this.#poll(controller);
    const [, id] = /deploymentBase\/(\d+)/.exec(polled.body) ?? [];
    if (id !== undefined) around.action = { device: controller, id: Number(id) };
    const device = `orders-${this.#refreshCount}`;
    await server.check({ device_id: device, keeps_token: true });
    await server.admin("POST", `/api/device-identities/${device}/token`, {});
    const ordered = await server.admin("POST", `/api/devices/${device}/orders`, { kind: "restart" });
    if (ordered.statusCode === 201) around.order = { device, id: Number(bodyOf(ordered).id) };
  }

  #poll(controller: string): Promise<Answer> {
    return this.#server.app.inject({ method: "GET", url: `/${LEGACY_TYPE}/controller/v1/${controller}` });
  }

  async #rollouts(around: Surroundings): Promise<void> {
    const server = this.#server;
    const create = async (more: object, ...orders: readonly string[]): Promise<number | undefined> => {
      const made = await server.admin("POST", "/api/rollouts", {
        firmware_id: 1,
        stages: [{ percent: 50 }, { percent: 100 }],
        ...more,
      });
      const id = Number(bodyOf(made).id);
      for (const order of orders) {
        const done = await server.app.inject({
          method: "POST",
          url: `/api/rollouts/${id}/${order}`,
          headers: { authorization: `Bearer ${server.token}`, "if-match": "*" },
          payload: {},
        });
        if (done.statusCode !== 200) return undefined;
      }
      return made.statusCode === 201 ? id : undefined;
    };
    const { draft, running, paused, awaiting } = around.rollouts;
    // Every check looks at all that run: some are enough.
    for (const state of ["running", "paused", "awaiting_approval", "scheduled"] as const) {
      const { rows } = await server.store.listRollouts(
        { states: [state] },
        { limit: 100, offset: KEPT_ROLLOUTS },
      );
      for (const { id } of rows) await server.admin("POST", `/api/rollouts/${id}/cancel`, {});
    }
    around.rollouts = {
      draft: (await create({})) ?? draft,
      running: (await create({}, "start")) ?? running,
      paused: (await create({}, "start", "pause")) ?? paused,
      awaiting: (await create({ needs_approval: true }, "start")) ?? awaiting,
    };
  }

  async #others(around: Surroundings): Promise<void> {
    const server = this.#server;
    const hooks = await server.store.listWebhooks();
    for (const { id } of hooks.slice(MAX_WEBHOOK_COUNT)) await server.admin("DELETE", `/api/webhooks/${id}`);
    const hook = await server.admin("POST", "/api/webhooks", { url: "https://example.com/", events: ["*"] });
    around.webhook = idOf(hook) ?? around.webhook;
    around.picture = idOf(await this.#uploadPicture()) ?? around.picture;
    const assigned = await server.admin("POST", "/api/content-admin/assignments", {
      image_id: around.picture,
      target: { kind: "default" },
    });
    around.assignment = idOf(assigned) ?? around.assignment;
    const { rows } = await server.store.listFirmware({ deviceType: LEGACY_TYPE }, { limit: 1, offset: 0 });
    const distribution = await server.admin("POST", "/api/v1/ota/updates", { firmware_id: rows[0]?.id ?? 1 });
    const job = await server.admin("POST", "/api/bulk-jobs", { kind: "approve", filter: {} });
    around.bulkJob = idOf(job) ?? around.bulkJob;
    const type = `undo${this.#refreshCount}`;
    await server.admin("PUT", `/api/types/${type}`, { kind: "legacy" });
    const audit = await server.admin("GET", `/api/audit?subject=type/${type}`);
    around.undoable = Number(rowsOf(audit, "entries")[0]?.id ?? around.undoable);
    around.distribution = idOf(distribution) ?? around.distribution;
  }

  async #uploadPicture(): Promise<Answer> {
    const form = new FormData();
    form.set("name", `picture ${this.#refreshCount}`);
    form.set("file", new Blob([new Uint8Array(PICTURE)]), "picture.pbm");
    const encoded = new Response(form);
    return this.#server.app.inject({
      method: "POST",
      url: "/api/content-admin/images",
      headers: {
        authorization: `Bearer ${this.#server.token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
  }
}

/** @throws Error if the server failed: a refusal is expected, because requests change what these need */
function bodyOf(answer: Answer): Row {
  if (answer.statusCode >= 500)
    throw new Error(`answered ${answer.statusCode}: ${answer.body.slice(0, 200)}`);
  try {
    return answer.json() as Row;
  } catch {
    return {};
  }
}

const rowsOf = (answer: Answer, name: string): readonly Row[] =>
  (bodyOf(answer)[name] ?? []) as readonly Row[];
const idOf = (answer: Answer): number | undefined =>
  answer.statusCode === 201 ? Number(bodyOf(answer).id) : void bodyOf(answer);
