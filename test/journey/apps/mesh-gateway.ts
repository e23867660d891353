// Firmware of a device that is a painlessMesh gateway besides: it distributes what lies at the start of its cache, as its build says.

import config from "mc/config";
import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import type { CacheEffect, CacheEvent } from "../../../firmware/core/gateway/cache-vocabulary.js";
import { newDistribution } from "../../../firmware/core/mesh/distribution.js";
import {
  type MeshGatewayState,
  meshDistribute,
  meshGatewayStep,
  newMeshGateway,
} from "../../../firmware/core/mesh/gateway.js";
import { isOfMesh, type MeshEffect, type MeshEvent } from "../../../firmware/core/mesh/vocabulary.js";
import { createCache } from "../../../firmware/platform/cache/cache.js";
import { meshHandlers } from "../../../firmware/platform/mesh/mesh-port.js";
import { startMachine } from "../../../firmware/platform/start.js";

interface State {
  readonly device: DeviceState;
  readonly mesh: MeshGatewayState;
}

type Own = MeshEffect | CacheEffect;

const distribution = newDistribution(config.distribution as Parameters<typeof newDistribution>[0]);

startMachine<State, MeshEvent | CacheEvent, Own>(
  {
    initial: { device: initialDevice, mesh: newMeshGateway("") },
    step(state, event) {
      const isDevices = !isOfMesh(event) && !event.type.startsWith("cache");
      const [device, effects] = isDevices ? step(state.device, event as never) : [state.device, []];
      const mesh = event.type === "booted" ? newMeshGateway(event.identity.mac) : state.mesh;
      const [next, own] = meshGatewayStep(mesh, event as never);
      if (event.type !== "wifiJoined") return [{ device, mesh: next }, [...effects, ...own]];
      const [begun, more] = meshDistribute(next, distribution);
      return [{ device, mesh: begun }, [...effects, ...own, ...more]];
    },
  },
  {
    connect: ({ dispatch, native }) => ({
      handlers: { ...meshHandlers(dispatch), ...createCache(dispatch, native) },
    }),
  },
);
