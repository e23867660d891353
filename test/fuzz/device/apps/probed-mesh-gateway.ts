// A painlessMesh gateway with a probe, which distributes 20 parts of what lies in its cache to nodes of the role `led`.

import { step } from "../../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { CacheEffect, CacheEvent } from "../../../../firmware/core/gateway/cache-vocabulary.js";
import { newDistribution } from "../../../../firmware/core/mesh/distribution.js";
import {
  type MeshGatewayState,
  meshDistribute,
  meshGatewayStep,
  newMeshGateway,
} from "../../../../firmware/core/mesh/gateway.js";
import { isOfMesh, type MeshEffect, type MeshEvent } from "../../../../firmware/core/mesh/vocabulary.js";
import { createCache } from "../../../../firmware/platform/cache/cache.js";
import { meshHandlers } from "../../../../firmware/platform/mesh/mesh-port.js";
import { startMachine } from "../../../../firmware/platform/start.js";
import { probed } from "./probe.js";

interface State {
  readonly device: DeviceState;
  readonly mesh: MeshGatewayState;
}

const image = {
  md5: "d".repeat(32),
  hardware: "ESP32",
  role: "led",
  isForced: false,
  isBroadcast: false,
};
const distribution = newDistribution({ image, sizeBytes: 20_000 });

startMachine<State, MeshEvent | CacheEvent, MeshEffect | CacheEffect>(
  {
    initial: { device: initialDevice, mesh: newMeshGateway("") },
    step: probed((state: State, event) => {
      const isDevices = !isOfMesh(event) && !event.type.startsWith("cache");
      const [device, effects] = isDevices ? step(state.device, event as never) : [state.device, []];
      const mesh = event.type === "booted" ? newMeshGateway(event.identity.mac) : state.mesh;
      const [next, own] = meshGatewayStep(mesh, event as never);
      if (event.type !== "wifiJoined") return [{ device, mesh: next }, [...effects, ...own]];
      const [begun, more] = meshDistribute(next, distribution);
      return [{ device, mesh: begun }, [...effects, ...own, ...more]];
    }),
  },
  {
    connect: ({ dispatch, native }) => ({
      handlers: { ...meshHandlers(dispatch), ...createCache(dispatch, native) },
    }),
  },
);
