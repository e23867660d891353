// The update server of a scenario: the real one, on a database in memory, called as a function with the scenario's clock; and the images that it
// offers, built and signed here by a key that is made for the run and forgotten with it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESK_SERVER } from "../../host-sim/desk/desk.js";
import { buildImage } from "../../host-sim/image-build/image.js";
import type { HttpRequest, HttpResponse } from "../../host-sim/network/http-host.js";
import type { ScenarioServer, ScenarioTools } from "../../host-sim/scenario/run.js";
import type { PlacedDevice } from "../../host-sim/scenario/scenario.js";
import { describeRelease } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { createApp } from "../app.js";
import { Auth } from "../auth/auth.js";
import { openFileBlobs } from "../blobs/files.js";
import { openSqliteStore } from "../store/sqlite.js";

/** Seconds since 1970 when a scenario begins. */
const START_TIME = 1_795_000_000;
/** Signed before the scenario begins. */
const SIGNED_BEFORE_SECONDS = 1000;
const TOKEN = "skx_scenario-scenario-scenario-scenario-scenario";

export interface OpenServer extends Pick<ScenarioTools, "server" | "image"> {
  close(): Promise<void>;
}

/** @param nowMs since the scenario began */
export async function openScenarioServer(nowMs: () => number): Promise<OpenServer> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-scenario-"));
  const now = () => START_TIME * 1000 + Math.floor(nowMs());
  const store = await openSqliteStore(":memory:");
  const auth = new Auth({ store, now, localToken: TOKEN });
  const app = createApp({ store, blobs: await openFileBlobs(join(folder, "blobs")), auth, now });
  const { privateKey, publicKey } = await makeReleaseKeys();
  const { kid = "", x = "", y = "" } = publicKey;
  const served = { imageBytes: 0, imageRequests: 0 };
  const images = new Map<string, Promise<Uint8Array>>();

  async function handler({ method, path, headers, body, remoteAddress }: HttpRequest): Promise<HttpResponse> {
    const answer = await app.inject({
      method: method as "GET",
      url: path,
      headers,
      ...(body.length > 0 ? { payload: Buffer.from(body) } : {}),
      ...(remoteAddress ? { remoteAddress } : {}),
    });
    const type = String(answer.headers["content-type"] ?? "");
    if (type.startsWith("application/octet-stream") && !path.includes("digests")) {
      served.imageBytes += answer.rawPayload.length;
      served.imageRequests += 1;
    }
    return {
      status: answer.statusCode,
      headers: answer.headers as Record<string, string>,
      body: new Uint8Array(answer.rawPayload),
    };
  }

  const server: ScenarioServer = {
    handler,
    served,
    async publish(image, type) {
      await upload(image, type, true);
    },
    async order(image, type, rule) {
      const { id } = await upload(image, type, false);
      await admin(
        "/api/v1/ota/updates",
        Buffer.from(JSON.stringify({ firmware_id: id, rule })),
        "application/json",
      );
    },
  };

  async function upload(image: Uint8Array, type: string, isStable: boolean) {
    const created = START_TIME - SIGNED_BEFORE_SECONDS;
    const form = new FormData();
    form.set("release", await signRelease(describeRelease(image, { created, type }), privateKey));
    form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
    form.set("is_stable", String(isStable));
    const encoded = new Response(form);
    const body = Buffer.from(await encoded.arrayBuffer());
    const answer = await admin("/api/ota/admin/upload", body, encoded.headers.get("content-type") ?? "");
    return answer as { readonly id: number };
  }

  async function admin(url: string, payload: Buffer, contentType: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": contentType };
    const answer = await app.inject({ method: "POST", url, headers, payload });
    if (answer.statusCode >= 300)
      throw new Error(`POST ${url} was answered ${answer.statusCode}: ${answer.body}`);
    return answer.json();
  }

  return {
    server,
    image({ app: folderName, type, chip, config }: PlacedDevice, version) {
      const name = JSON.stringify([folderName, type, chip, config, version]);
      const trusted = { server: DESK_SERVER, keys: [{ kid, x, y }], gatewayToken: TOKEN, ...config, type };
      const built = images.get(name) ?? buildImage({ app: folderName, version, chip, config: trusted });
      images.set(name, built);
      return built;
    },
    async close() {
      await app.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
