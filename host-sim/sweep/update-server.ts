// The update server as the sweep's devices see it: answers at once, out of memory, and offers what the caller decides. The real server is
// behind the journeys of the tests; here thousands of devices ask, and only their flash is of interest.

import type { JWK } from "jose";
import {
  type CheckRequest,
  type CheckResponse,
  FRESHNESS_PATH,
  ROOTS_PATH,
  type StatusRequest,
} from "../../firmware/core/wire.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../network/http-host.js";
import type { Word } from "./leader.js";
import { START_TIME, type SweepRelease, signStatement } from "./release.js";

export interface UpdateServer {
  readonly handler: HttpHandler;
  readonly checks: readonly CheckRequest[];
  readonly reports: readonly StatusRequest[];
  /** Statements of freshness that it was asked for. */
  readonly statementCount: number;
  /** Whether the device has shown that it runs this release and has validated it. */
  hasValidated(release: SweepRelease): boolean;
}

/** @param say what the last check is answered */
export function createUpdateServer(nowMs: () => number, say: (server: UpdateServer) => Word): UpdateServer {
  const checks: CheckRequest[] = [];
  const reports: StatusRequest[] = [];
  const releases = new Map<string, SweepRelease>();
  let nextRoot: string | undefined;
  let statementKey: JWK | undefined;
  const now = (): number => START_TIME + Math.floor(nowMs() / 1000);
  let statementCount = 0;

  function check(request: CheckRequest): CheckResponse {
    checks.push(request);
    const time = now();
    const { release, hold, nextRoot: next, statementKey: key, ...told } = say(server);
    nextRoot = next;
    statementKey = key;
    const isBehind = next !== undefined && request.root_version === 1;
    const word = { ...told, ...(isBehind ? { root_url: `${ROOTS_PATH}2` } : {}) };
    if (release === undefined || release.version === request.current_version)
      return { update_available: false, time, ...word };
    const path = `/firmware/${release.firmwareId}`;
    releases.set(path, release);
    return {
      update_available: true,
      time,
      firmware_id: release.firmwareId,
      version: release.version,
      build_number: 0,
      file_size: release.image.length,
      file_hash: release.payload.sha256,
      download_url: path,
      digests_url: `${path}/digests`,
      release: release.manifest,
      ...(hold ? { hold } : {}),
      ...word,
    };
  }

  async function handler(request: HttpRequest): Promise<HttpResponse> {
    if (request.path === "/api/ota/check") return json(check(parse(request.body)));
    if (request.path === "/api/ota/status") {
      reports.push(parse(request.body));
      return json({});
    }
    if (request.path === `${ROOTS_PATH}2` && nextRoot !== undefined)
      return { status: 200, body: new TextEncoder().encode(nextRoot) };
    if (request.path === FRESHNESS_PATH && statementKey !== undefined) {
      statementCount += 1;
      const statement = signStatement(parse(request.body), now(), statementKey);
      return { status: 200, body: new TextEncoder().encode(statement) };
    }
    const [, path = "", isDigests] = /^(\/firmware\/\d+)(\/digests)?$/.exec(request.path) ?? [];
    const release = releases.get(path);
    if (release === undefined) return { status: 404 };
    return download(isDigests ? release.digests : release.image, request.headers.range);
  }

  const server: UpdateServer = {
    handler,
    checks,
    reports,
    get statementCount() {
      return statementCount;
    },
    hasValidated({ firmwareId, version, payload }) {
      const evident = ({ image_sha256, slot_state }: { image_sha256?: string; slot_state?: string }) =>
        image_sha256 === payload.imageSha256 && slot_state === "valid";
      return (
        checks.some((seen) => seen.current_version === version && evident(seen)) ||
        reports.some((seen) => seen.firmware_id === firmwareId && seen.status === "success" && evident(seen))
      );
    },
  };
  return server;
}

export function download(file: Uint8Array, range: string | undefined): HttpResponse {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (from === undefined) return { status: 200, body: file };
  const headers = { "content-range": `bytes ${from}-${to}/${file.length}` };
  return { status: 206, headers, body: file.subarray(Number(from), Number(to) + 1) };
}

export const parse = (body: Uint8Array) => JSON.parse(new TextDecoder().decode(body));
export const json = (value: object): HttpResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: new TextEncoder().encode(JSON.stringify(value)),
});
