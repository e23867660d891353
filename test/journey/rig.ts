// The setup of the tests' journeys: a key and images made once, and a desk whose server is the real application, called
// as a function. A `lie` is between device and server and may change any answer.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type {
  ListedDigests,
  PagedDigests,
  ReleaseFacts,
  ReleasePayload,
  StatusRequest,
} from "../../firmware/core/wire.js";
import { DESK_SERVER, Desk, type DeskOptions } from "../../host-sim/desk/desk.js";
import type { DeviceEvent } from "../../host-sim/device/device-event.js";
import { Watch } from "../../host-sim/device/watch.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import {
  buildFirmwareImage,
  extractBundle,
  type FirmwareOptions,
} from "../../host-sim/hardware/image/app-image.js";
import { type BuildConfig, buildImage } from "../../host-sim/image-build/image.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../host-sim/network/http-host.js";
import type { PolicyOf } from "../../host-sim/network/link-policy.js";
import type { TlsIdentity } from "../../host-sim/network/tls-stream.js";
import { describeRelease } from "../../release/describe.js";
import { type KeyPair, makeReleaseKeys } from "../../release/keys.js";
import type { ReleaseOptions } from "../../release/payload.js";
import { signRelease } from "../../release/signing.js";
import type { Settings } from "../../server/api/context.js";
import type { ContentSource } from "../../server/content/content.js";
import { openTestServer, type TestServer } from "./open-server.js";

/** Seconds since 1970 when a journey begins. */
export const START_TIME = 1_795_000_000;
const APPS = fileURLToPath(new URL("apps/", import.meta.url));

const keys = makeReleaseKeys();
const images = new Map<string, Promise<Uint8Array>>();

export const releaseKeys = (): Promise<KeyPair> => keys;

/** The image of an app in this version, built once. A name that ends in .ts is one of test/journey/apps. */
export function imageOf(
  app: string,
  version: string,
  chip: Chip = "esp32",
  config: Partial<BuildConfig> = {},
): Promise<Uint8Array> {
  const name = JSON.stringify([app, version, chip, config]);
  const built = images.get(name) ?? build(app, version, chip, config);
  images.set(name, built);
  return built;
}

async function build(
  app: string,
  version: string,
  chip: Chip,
  config: Partial<BuildConfig>,
): Promise<Uint8Array> {
  const { kid, x, y } = (await keys).publicKey;
  const trusted = { server: DESK_SERVER, keys: [{ kid: kid!, x: x!, y: y! }], type: "base", ...config };
  return buildImage({ app: app.endsWith(".ts") ? APPS + app : app, version, chip, config: trusted });
}

/** The bundle of `base` in this version. */
export async function bundleOf(version: string): Promise<string> {
  const bundle = extractBundle(await imageOf("base", version));
  if (bundle === undefined) throw new Error(`base ${version} has no bundle`);
  return bundle;
}

/** `base` in this version with another bundle, or another image description. */
export async function rebuilt(version: string, changes: Partial<FirmwareOptions>): Promise<Uint8Array> {
  const bundle = changes.bundle ?? (await bundleOf(version));
  return buildFirmwareImage({ chip: "esp32", version, project: "base", ...changes, bundle });
}

/** A manifest about an image, signed by the key that the images trust, with some of its fields changed. */
export async function releaseOf(
  image: Uint8Array,
  changes: Partial<ReleaseFacts & Pick<ListedDigests, "chunks"> & Pick<PagedDigests, "pages">> = {},
  options: Partial<ReleaseOptions> = {},
): Promise<string> {
  const payload = { ...describeRelease(image, { created: START_TIME - 1000, ...options }), ...changes };
  return signRelease(payload as ReleasePayload, (await keys).privateKey);
}

/** Changes an answer, or returns it unchanged. */
export type Lie = (request: HttpRequest, honest: () => Promise<HttpResponse>) => Promise<HttpResponse>;

export interface RigOptions extends Omit<Partial<DeskOptions>, "server"> {
  /** What is uploaded to the server; default: `base` 1.1.0. */
  readonly update?: Uint8Array;
  readonly lie?: Lie;
  /** The server answers by https only. */
  readonly tls?: TlsIdentity;
  /** Of the server. */
  readonly settings?: Partial<Settings>;
  /** What the server has for panels. */
  readonly content?: ContentSource;
  /** Downloads come from a separate host, over links like this. */
  readonly downloadPolicy?: PolicyOf;
}

const DOWNLOAD_HOST = "downloads.skyslot.test";

export interface Rig {
  readonly desk: Desk;
  readonly watch: Watch;
  readonly server: TestServer;
  readonly updateImage: Uint8Array;
  /** The device's reports, in order. */
  readonly reports: StatusRequest[];
  readonly checks: {
    readonly device_type: string;
    readonly current_version: string;
    readonly slot_state: string;
  }[];
  readonly events: DeviceEvent[];
  readonly trace: string[];
  /** Running version and slot. */
  running(): string;
  close(): Promise<void>;
}

/** A new device with `base` 1.0.0, and an update on the server. */
export async function setUpRig(options: RigOptions = {}): Promise<Rig> {
  const updateImage = options.update ?? (await imageOf("base", "1.1.0"));
  const folder = mkdtempSync(join(tmpdir(), "skyslot-journey-"));
  let desk: Desk | undefined;
  const server = await openTestServer({
    folder,
    now: () => START_TIME * 1000 + Math.floor(desk?.world.nowMs ?? 0),
    content: options.content,
    ...(options.settings ? { settings: options.settings } : {}),
  });
  await server.upload(updateImage, await releaseOf(updateImage));
  const reports: StatusRequest[] = [];
  const checks: Rig["checks"] = [];
  const events: DeviceEvent[] = [];
  const trace: string[] = [];
  const handler: HttpHandler = async (request) => {
    if (request.path === "/api/ota/status") reports.push(readJson(request.body));
    if (request.path === "/api/ota/check") checks.push(readJson(request.body));
    const honest = async () => {
      const answer = await server.handle(request);
      return options.downloadPolicy && request.path === "/api/ota/check" ? elsewhere(answer) : answer;
    };
    return options.lie ? options.lie(request, honest) : honest();
  };
  desk = new Desk({
    image: await imageOf("base", "1.0.0"),
    ...options,
    server: { handler, ...(options.tls ? { tls: options.tls } : {}) },
    onTrace: (line, device) => {
      trace.push(`${Math.round(desk?.world.nowMs ?? 0)} ${line}`);
      options.onTrace?.(line, device);
    },
    onEvent: (event, device) => {
      events.push(event);
      options.onEvent?.(event, device);
    },
  });
  if (options.downloadPolicy) {
    const host = desk.network.addHost(DOWNLOAD_HOST, "203.0.113.11");
    desk.network.serveHttp(host, 80, handler, options.downloadPolicy);
  }
  return {
    desk,
    watch: new Watch(desk.device),
    server,
    updateImage,
    reports,
    checks,
    events,
    trace,
    running: () => `${checks.at(-1)?.current_version} ${desk.device.running?.label}`,
    async close() {
      desk.device.powerOff();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same offer, to be fetched from the other host. */
function elsewhere(answer: HttpResponse): HttpResponse {
  const body = readJson(answer.body!);
  if (!body.download_url) return answer;
  const { download_url, digests_url, ...others } = body;
  const moved = {
    download_url: `http://${DOWNLOAD_HOST}${download_url}`,
    ...(digests_url ? { digests_url: `http://${DOWNLOAD_HOST}${digests_url}` } : {}),
  };
  return { ...answer, body: writeJson({ ...others, ...moved }) };
}

export const readJson = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
export const writeJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
