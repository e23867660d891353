// A server for tests: a real store and real files in a temporary folder, a clock that the test sets, releases built on demand.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, LightMyRequestResponse, RouteOptions } from "fastify";
import type { JWK } from "jose";
import type { CheckRequest, StatusRequest } from "../../firmware/core/wire.js";
import { buildFirmwareImage, type FirmwareOptions } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease } from "../../release/describe.js";
import { type KeyPair, makeReleaseKeys } from "../../release/keys.js";
import type { ReleaseOptions } from "../../release/payload.js";
import { signRelease } from "../../release/signing.js";
import type { Settings } from "../../server/api/context.js";
import { createApp } from "../../server/app.js";
import { Auth } from "../../server/auth/auth.js";
import { openFileBlobs } from "../../server/blobs/files.js";
import type { Role } from "../../server/shared/permissions.js";
import { openPostgresStore } from "../../server/store/postgres.js";
import type { Store } from "../../server/store/store.js";
import { newTestDatabase } from "../services/postgres.js";
import { openNewSqliteStore } from "../services/sqlite.js";
import { AnswerCheck } from "./answer-check.js";

/** Milliseconds since 1970 when every test begins. */
export const START_MS = Date.UTC(2026, 10, 21, 12);

/** Of every user of these tests. */
export const PASSWORD = "correct horse battery";

export interface MadeRelease {
  readonly image: Buffer;
  readonly release: string;
  readonly imageSha256: string;
}

let keys: Promise<KeyPair> | undefined;
export const releaseKeys = (): Promise<KeyPair> => {
  keys ??= makeReleaseKeys();
  return keys;
};

export async function makeRelease(
  version: string,
  options: Partial<ReleaseOptions> & { readonly image?: Partial<FirmwareOptions>; readonly key?: JWK } = {},
): Promise<MadeRelease> {
  const { image: imageOptions, key, ...releaseOptions } = options;
  const image = Buffer.from(
    buildFirmwareImage({
      chip: "esp32",
      version,
      project: "base",
      bundle: `trace("${version}");`.repeat(2000),
      ...imageOptions,
    }),
  );
  const payload = describeRelease(image, { created: START_MS / 1000, ...releaseOptions });
  const release = await signRelease(payload, key ?? (await releaseKeys()).privateKey);
  return { image, release, imageSha256: payload.imageSha256 };
}

/** SKYSLOT_TEST_STORE=postgres runs every test of the server on PostgreSQL. */
async function openTestStore(file: string): Promise<Store> {
  if (process.env.SKYSLOT_TEST_STORE !== "postgres") return openNewSqliteStore(file);
  // The next one is created while the test that uses this one runs.
  const url = await (nextDatabase ?? newMigratedDatabase());
  nextDatabase = newMigratedDatabase();
  return openPostgresStore(url);
}

let template: Promise<string> | undefined;
let nextDatabase: Promise<string> | undefined;

async function newMigratedDatabase(): Promise<string> {
  template ??= makeTemplate();
  return newTestDatabase(await template);
}

/** The tables are created once: a copy is cheaper. */
async function makeTemplate(): Promise<string> {
  const url = await newTestDatabase();
  await (await openPostgresStore(url)).close();
  return url;
}

export class TestServer {
  /** Milliseconds since 1970. */
  nowMs = START_MS;
  readonly #folder: string;
  #url: string | undefined;
  app!: FastifyInstance;
  store!: Store;
  auth!: Auth;
  /** Of the local administrator: all scopes. */
  readonly token = "skx_test-test-test-test-test-test-test-test";

  /** Every answer is compared with its description: see close(). */
  readonly answers = new AnswerCheck();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param store instead of its own; it is closed with the server
   * @param onRoute is called for every route
   */
  static async open(
    settings: Partial<Settings> = {},
    store?: Store,
    onRoute?: (route: RouteOptions) => void,
  ): Promise<TestServer> {
    const server = new TestServer(await mkdtemp(join(tmpdir(), "skyslot-server-")));
    const now = () => server.nowMs;
    server.store = store ?? (await openTestStore(join(server.#folder, "skyslot.db")));
    const passwordCost = { ln: 4, r: 8, p: 1 };
    server.auth = new Auth({ store: server.store, now, localToken: server.token, passwordCost });
    const blobs = await openFileBlobs(join(server.#folder, "blobs"));
    const { store: kept, auth, answers } = server;
    server.app = createApp({ store: kept, blobs, auth, now, settings, onRoute: onRoute ?? answers.onRoute });
    return server;
  }

  get blobFolder(): string {
    return join(this.#folder, "blobs");
  }

  /** @throws Error if an answer did not match its description */
  async close(): Promise<void> {
    await this.app.close();
    await this.store.close();
    await rm(this.#folder, { recursive: true, force: true });
    const faults = new Set(this.answers.faults);
    if (faults.size > 0) throw new Error(`answers do not match their description: ${[...faults].join("\n")}`);
  }

  /** From now on checks use a socket, as in production, and take the fast path where they can. */
  async listen(): Promise<void> {
    this.#url = await this.app.listen({ host: "127.0.0.1", port: 0 });
  }

  check(body: Partial<CheckRequest> = {}, token?: string): Promise<LightMyRequestResponse> {
    return this.#post({
      url: "/api/ota/check",
      headers: bearer(token),
      payload: {
        device_id: "base-010203",
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
        chip: "esp32",
        hardware: "esp32",
        image_sha256: "a".repeat(64),
        slot: "factory",
        slot_state: "factory",
        boot_count: 1,
        reset_reason: "power-on",
        ...body,
      },
    });
  }

  async #post(request: {
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly payload: object;
  }): Promise<LightMyRequestResponse> {
    if (this.#url === undefined) return this.app.inject({ method: "POST", ...request });
    const { url, headers, payload } = request;
    const answer = await fetch(`${this.#url}${url}`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(payload),
    });
    const body = await answer.text();
    return {
      statusCode: answer.status,
      headers: Object.fromEntries(answer.headers),
      body,
      json: () => JSON.parse(body),
    } as unknown as LightMyRequestResponse;
  }

  status(body: Partial<StatusRequest>, token?: string): Promise<LightMyRequestResponse> {
    const payload = { device_id: "base-010203", firmware_id: 1, ...body };
    return this.app.inject({ method: "POST", url: "/api/ota/status", payload, headers: bearer(token) });
  }

  admin(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
  ): Promise<LightMyRequestResponse> {
    return this.as(this.token, method, url, payload);
  }

  /** With any token. */
  as(
    token: string,
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
  ): Promise<LightMyRequestResponse> {
    const headers = { authorization: `Bearer ${token}` };
    return this.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  }

  /** A user with a valid password, added by the local administrator; signed in. */
  async addUser(name: string, role: Role): Promise<{ readonly access: string; readonly refresh: string }> {
    const added = await this.admin("POST", "/api/users", { name, role, password: PASSWORD });
    if (added.statusCode !== 201) throw new Error(`user was answered ${added.statusCode}: ${added.body}`);
    return this.logIn(name);
  }

  async logIn(name: string): Promise<{ readonly access: string; readonly refresh: string }> {
    const payload = { name, password: PASSWORD };
    const answer = await this.app.inject({ method: "POST", url: "/api/auth/login", payload });
    if (answer.statusCode !== 200) throw new Error(`login was answered ${answer.statusCode}: ${answer.body}`);
    return { access: answer.json().access_token, refresh: answer.json().refresh_token };
  }

  async upload(
    made: Partial<MadeRelease>,
    fields: Record<string, string> = {},
    token: string = this.token,
  ): Promise<LightMyRequestResponse> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    if (made.image) form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    if (made.release !== undefined) form.set("release", made.release);
    const encoded = new Response(form);
    return this.app.inject({
      method: "POST",
      url: "/api/ota/admin/upload",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
  }

  /** The newest attempt. */
  async lastAttempt(): Promise<Record<string, unknown>> {
    const { logs } = (await this.admin("GET", "/api/ota/admin/logs?limit=1")).json() as {
      logs: Record<string, unknown>[];
    };
    return logs[0] ?? {};
  }
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };
