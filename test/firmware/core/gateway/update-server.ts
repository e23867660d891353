// An update server as a gateway and its nodes see it: it offers one release to devices that run another, gives its image and the digests of
// its chunks by Range, and keeps what is reported. Honest and patient unless a test says otherwise.

import { createHash } from "node:crypto";
import type { HttpRequest } from "../../../../firmware/core/effect.js";
import { type Answer, Download, hex, partOf } from "../download.js";
import { jws, PAGED } from "../releases.js";

export const SERVER = "http://updates.test:8080";
export const CHUNK_BYTES = 16_384;
const PAGE_BYTES = 64 * 32;

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** A release of the device type `base`. */
export interface TestRelease {
  readonly id: number;
  readonly version: string;
  readonly image: Uint8Array;
  readonly digests: Uint8Array;
  readonly manifest: string;
}

export function makeRelease(sizeBytes: number, id = 7, manifest: object = {}): TestRelease {
  const { image } = new Download({ sizeBytes });
  image.fill(id, 1_000, 1_100); // releases differ
  image.set(sha256(image.slice(0, -32)), sizeBytes - 32);
  const chunks = Array.from({ length: Math.ceil(sizeBytes / CHUNK_BYTES) }, (_, index) =>
    sha256(image.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)),
  );
  const digests = new Uint8Array(Buffer.concat(chunks));
  const pages = Array.from({ length: Math.ceil(digests.length / PAGE_BYTES) }, (_, page) =>
    sha256(digests.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)),
  );
  const payload = {
    ...PAGED,
    size: sizeBytes,
    sha256: hex(sha256(image)),
    imageSha256: hex(image.slice(-32)),
    chunkSize: CHUNK_BYTES,
    pages: Buffer.concat(pages).toString("base64url"),
    ...manifest,
  };
  return { id, version: "1.1.0", image, digests, manifest: jws(payload) };
}

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

export class UpdateServer {
  readonly asked: Asked[] = [];
  /** Changes an answer; `undefined`: the connection breaks before it. */
  lie: (asked: Asked, honest: Answer) => Answer | undefined = (_asked, honest) => honest;
  readonly releases: readonly TestRelease[];
  /** Which of them a device is offered. */
  releaseFor: (deviceId: string) => TestRelease | undefined;

  constructor(...releases: readonly TestRelease[]) {
    this.releases = releases;
    this.releaseFor = () => releases[0];
  }

  answer({ method, url, headers, body }: HttpRequest): Answer | undefined {
    const path = url.slice(SERVER.length);
    const asked: Asked = { method, path, headers, body: JSON.parse(body ?? "{}") };
    this.asked.push(asked);
    return this.lie(asked, url.startsWith(SERVER) ? this.#honest(asked) : text(404, {}));
  }

  /** Paths that were asked for, without query. */
  get paths(): string[] {
    return this.asked.map(({ path }) => path.split("?")[0]!);
  }

  reports(deviceId: string): string[] {
    return this.asked
      .filter(({ path, body }) => path === "/api/ota/status" && body.device_id === deviceId)
      .map(({ body }) => `${body.status}`);
  }

  #honest({ path, headers, body }: Asked): Answer {
    const [, id, isDigests] = /^\/api\/ota\/download\/(\d+)(\/digests)?\?device=/.exec(path) ?? [];
    const found = this.releases.find((release) => `${release.id}` === id);
    if (found) return partOf(isDigests ? found.digests : found.image, headers.range);
    if (path === "/api/ota/status") return text(200, { ok: true });
    return path === "/api/ota/check" ? this.#check(body) : text(404, { error: "no such path" });
  }

  #check(body: Record<string, unknown>): Answer {
    const deviceId = `${body.device_id}`;
    const release = this.releaseFor(deviceId);
    const time = 1_795_000_000;
    if (!release || body.current_version === release.version)
      return text(200, { update_available: false, time, poll_seconds: 60 });
    const { id, version, image, manifest } = release;
    const download_url = `/api/ota/download/${id}?device=${deviceId}`;
    const digests_url = `/api/ota/download/${id}/digests?device=${deviceId}`;
    const size = { file_size: image.length, file_hash: "x", build_number: 0 };
    const offer = {
      firmware_id: id,
      version,
      download_url,
      digests_url,
      release: manifest,
      poll_seconds: 60,
    };
    const answer = text(200, { update_available: true, time, ...size, ...offer });
    return { ...answer, headers: { ...answer.headers, "skyslot-offer": `${id} ${time}` } };
  }
}

export const text = (
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: new TextEncoder().encode(JSON.stringify(body)),
});
