// A mesh of our own on a desk: the gateway app, nodes with the node app in its air, and the real update server behind the home's network.
// Virtual time.

import { fileURLToPath } from "node:url";
import type { VirtualDevice } from "../../../host-sim/device/device.js";
import type { Engine } from "../../../host-sim/engine/engine.js";
import type { AirConditions } from "../../../host-sim/network/espnow-air.js";
import { ADMIN_TOKEN } from "../open-server.js";
import { imageOf, type Rig, readJson, releaseOf, setUpRig } from "../rig.js";

const GATEWAY_TABLE = fileURLToPath(new URL("../../../partitions/8mb-gateway.csv", import.meta.url));
export const MINUTE_MS = 60_000;
export const UPDATES = "/api/v1/ota/updates";
const DOWNLOAD = "/api/ota/download/";

/** Firmware that cannot even start. */
export const CRASHES = "throws.ts";

export const nodeImage = (version: string, config: object = {}, app = "node"): Promise<Uint8Array> =>
  imageOf(app, version, "esp32", {
    type: "pir",
    role: "pir",
    checkSeconds: 60,
    trialSeconds: 10,
    ...config,
  });

export interface Mesh extends Rig {
  readonly gateway: VirtualDevice;
  readonly nodes: readonly VirtualDevice[];
  /** Lines that a device has traced: `gateway`, `node 1` … */
  lines(device: string): readonly string[];
  /** Ids of devices whose checks have reached the server. */
  readonly heard: ReadonlySet<string>;
  /** Bytes of images that the update server has sent. */
  sentBytes(): number;
  /** Signed firmware of nodes that no check is offered. Returns its number. */
  upload(image: Uint8Array): Promise<number>;
  /** An order as the server shows it. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  order(id: unknown): Promise<any>;
  /** Until the order has ended; what the server shows then. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  end(id: unknown, limitMs?: number): Promise<any>;
  /** Runs for so long at most. */
  until(is: () => boolean, limitMs?: number): Promise<boolean>;
  /** Version that a node runs, and its slot. */
  running(node?: VirtualDevice): string;
}

export async function setUpMesh(options: {
  readonly nodeCount: number;
  readonly conditions?: Partial<AirConditions>;
  readonly seed?: number;
  /** What runs the firmware of a device; V8 by default. */
  readonly engineOf?: (name: string) => Engine | undefined;
}): Promise<Mesh> {
  const traced = new Map<string, string[]>();
  const heard = new Set<string>();
  let sent = 0;
  const image = await nodeImage("1.0.0");
  const names = Array.from({ length: options.nodeCount }, (_, index) => `node ${index + 1}`);
  const rig = await setUpRig({
    seed: options.seed ?? 1,
    devices: [
      {
        name: "gateway",
        partitions: GATEWAY_TABLE,
        image: await imageOf("gateway", "1.0.0", "esp32", { type: "gateway", gatewayToken: ADMIN_TOKEN }),
        engine: options.engineOf?.("gateway"),
      },
      ...names.map((name) => ({ name, image, engine: options.engineOf?.(name) })),
    ],
    lie: async (request, honest) => {
      const answer = await honest();
      if (request.path === "/api/ota/check") heard.add(readJson(request.body).device_id);
      if (request.path.startsWith(DOWNLOAD) && !request.path.includes("digests"))
        sent += answer.body?.length ?? 0;
      return answer;
    },
    onTrace: (line, device) => {
      traced.set(device, [...(traced.get(device) ?? []), line]);
    },
  });
  const { desk, server } = rig;
  const { world, network, devices } = desk;
  network.espNow.change(options.conditions ?? {});
  const [gateway, ...nodes] = devices as [VirtualDevice, ...VirtualDevice[]];
  const order = (id: unknown) => server.admin("GET", `${UPDATES}/${id}`);
  return {
    ...rig,
    gateway,
    nodes,
    lines: (device) => traced.get(device) ?? [],
    heard,
    sentBytes: () => sent,
    async upload(update) {
      await server.upload(update, await releaseOf(update), { is_stable: "false" });
      const { firmware } = (await server.admin("GET", "/api/v1/firmware?node_type=pir")) as {
        readonly firmware: readonly { readonly id: number }[];
      };
      return firmware[0]!.id;
    },
    order,
    async end(id, limitMs = 60 * MINUTE_MS) {
      for (const until = world.nowMs + limitMs; world.nowMs < until; ) {
        const shown = await order(id);
        if (shown.finished_at !== null) return shown;
        await world.runFor(5_000);
      }
      return order(id);
    },
    until: (is, limitMs = 30 * MINUTE_MS) => world.runUntil(is, { limitMs }),
    running: (node = gateway) => `${node.running?.label}`,
    async close() {
      for (const device of devices) device.powerOff();
      await rig.close();
    },
  };
}
