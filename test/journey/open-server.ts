// The real update server on a SQLite file in a temporary folder, called as a function, with the journey's clock.

import { join } from "node:path";
import type { HttpRequest, HttpResponse } from "../../host-sim/network/http-host.js";
import type { Settings } from "../../server/api/context.js";
import { createApp } from "../../server/app.js";
import { Auth } from "../../server/auth/auth.js";
import { hashSecret } from "../../server/auth/secret.js";
import { openFileBlobs } from "../../server/blobs/files.js";
import type { ContentSource } from "../../server/content/content.js";
import type { Update } from "../../server/store/store.js";
import { openNewSqliteStore } from "../services/sqlite.js";

export const ADMIN_TOKEN = "skx_journey-journey-journey-journey-journey";

export interface TestServer {
  handle(request: HttpRequest): Promise<HttpResponse>;
  /** Through the upload route, as the command line does it. */
  upload(image: Uint8Array, release: string, fields?: Readonly<Record<string, string>>): Promise<void>;
  /** Unsigned firmware of a node type, which becomes legacy by that. Returns its number. */
  uploadForNodes(image: Uint8Array, nodeType: string, version: string): Promise<number>;
  /** A binary PBM for panels. Returns its number. */
  uploadPicture(name: string, pbm: Uint8Array): Promise<number>;
  /** A request of the administrator. */
  admin(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    payload?: object,
  ): Promise<Record<string, unknown>>;
  /** From now on new devices need this enrolment token. */
  requireEnrolment(token: string): Promise<void>;
  /** Every attempt, oldest first. */
  updates(): Promise<Update[]>;
  close(): Promise<void>;
}

export async function openTestServer(options: {
  readonly folder: string;
  readonly now: () => number;
  readonly content?: ContentSource | undefined;
  readonly settings?: Partial<Settings>;
}): Promise<TestServer> {
  const { folder, now, content, settings = {} } = options;
  const store = await openNewSqliteStore(join(folder, "skyslot.db"));
  const auth = new Auth({ store, now, localToken: ADMIN_TOKEN });
  const blobs = await openFileBlobs(join(folder, "blobs"));
  const app = createApp({ store, blobs, auth, content, now, settings });
  const send = async (url: string, form: FormData): Promise<Record<string, unknown>> => {
    const encoded = new Response(form);
    const answer = await app.inject({
      method: "POST",
      url,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
    if (answer.statusCode >= 300) throw new Error(`upload was answered ${answer.statusCode}: ${answer.body}`);
    return answer.json();
  };
  return {
    async handle({ method, path, headers, body, remoteAddress }) {
      const answer = await app.inject({
        method: method as "GET",
        url: path,
        headers,
        ...(body.length > 0 ? { payload: Buffer.from(body) } : {}),
        ...(remoteAddress ? { remoteAddress } : {}),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
        body: new Uint8Array(answer.rawPayload),
      };
    },
    async upload(image, release, fields = {}) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      form.set("release", release);
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
      await send("/api/ota/admin/upload", form);
    },
    async uploadForNodes(image, nodeType, version) {
      const legacy = await app.inject({
        method: "PUT",
        url: `/api/types/${nodeType}`,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        payload: { kind: "legacy" },
      });
      if (legacy.statusCode >= 300)
        throw new Error(`the type was answered ${legacy.statusCode}: ${legacy.body}`);
      const form = new FormData();
      form.set("node_type", nodeType);
      form.set("version", version);
      form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
      return (await send("/api/v1/firmware/upload", form)).id as number;
    },
    async uploadPicture(name, pbm) {
      const form = new FormData();
      form.set("name", name);
      form.set("file", new Blob([Buffer.from(pbm)]), "picture.pbm");
      return (await send("/api/content-admin/images", form)).id as number;
    },
    async admin(method, url, payload) {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const answer = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
      if (answer.statusCode >= 300)
        throw new Error(`${url} was answered ${answer.statusCode}: ${answer.body}`);
      return answer.json();
    },
    async requireEnrolment(token) {
      await store.putPolicy({ deviceType: "*", registration: "enrolment", tokens: "required" });
      await store.addEnrolmentToken({
        name: "journey",
        hash: hashSecret(token),
        deviceType: null,
        maxUseCount: 1,
        createdAt: now(),
        expiresAt: null,
      });
    },
    async updates() {
      const { rows } = await store.listUpdates({}, { limit: 100, offset: 0 });
      return [...rows].reverse();
    },
    async close() {
      await app.close();
      await store.close();
    },
  };
}
