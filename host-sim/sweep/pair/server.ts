// The update server as the pair of the sweep sees it: offers no device anything for itself, and one system to both. It can be told to fail.

import type { CheckRequest, StatusRequest } from "../../../firmware/core/wire.js";
import { describeDocument } from "../../../release/system-document.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../network/http-host.js";
import { CREATED, START_TIME, type SweepRelease } from "../release.js";
import { download, json, parse } from "../update-server.js";
import { APPS, type PairSystem, SYSTEM } from "./images.js";

export interface PairServer {
  readonly handler: HttpHandler;
  readonly checks: readonly SeenCheck[];
  readonly reports: readonly StatusRequest[];
  /** The newest system. */
  system: PairSystem | undefined;
  /** Answers everything with 503. */
  isFailing: boolean;
}

export interface SeenCheck {
  readonly atMs: number;
  readonly check: CheckRequest;
}

const IMAGES = "/api/ota/download/";

/** @param systems of which it may have any */
export function createPairServer(nowMs: () => number, systems: readonly PairSystem[]): PairServer {
  const checks: SeenCheck[] = [];
  const reports: StatusRequest[] = [];
  const releases = systems.flatMap((system) => APPS.map((app) => system.releases[app]));

  async function handler(request: HttpRequest): Promise<HttpResponse> {
    if (server.isFailing) return { status: 503 };
    const [path = ""] = request.path.split("?", 1);
    if (path === "/api/ota/check") {
      checks.push({ atMs: nowMs(), check: parse(request.body) });
      return json({ update_available: false, time: START_TIME + Math.floor(nowMs() / 1000) });
    }
    if (path === "/api/ota/status") {
      reports.push(parse(request.body));
      return json({});
    }
    if (path === `/api/v1/systems/${SYSTEM}/manifest`)
      return server.system ? json(told(server.system)) : { status: 404 };
    const [id] = path.startsWith(IMAGES) ? path.slice(IMAGES.length).split("/") : [];
    const release = releases.find(({ firmwareId }) => String(firmwareId) === id);
    return release ? fileOf(release, path, request.headers.range) : { status: 404 };
  }

  const server: PairServer = { handler, checks, reports, system: undefined, isFailing: false };
  return server;
}

function fileOf(release: SweepRelease, path: string, range: string | undefined): HttpResponse {
  if (path.endsWith("/release")) return { status: 200, body: new TextEncoder().encode(release.manifest) };
  return download(path.endsWith("/digests") ? release.digests : release.image, range);
}

/** With the addresses of the releases, as a device with little memory asks for it. */
function told({ version, manifest, releases }: PairSystem): object {
  const waits = { rebootDelaySeconds: 5, healthTimeoutSeconds: 30 };
  const document = {
    name: SYSTEM,
    version,
    minimum: "0.0.0",
    releasedAt: CREATED * 1000,
    description: "",
    manifest,
  };
  return describeDocument(
    { ...document, ...waits },
    APPS.map((app) => {
      const url = `${IMAGES}${releases[app].firmwareId}`;
      return [app, { download_url: url, digests_url: `${url}/digests`, release_url: `${url}/release` }];
    }),
    undefined,
  );
}
