// Firmware of a device that is a painlessMesh node besides, with the role that its build says.

import config from "mc/config";
import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import { initialMeshNode, type MeshNodeState, meshNodeStep } from "../../../firmware/core/mesh/node.js";
import { MD5_KEY } from "../../../firmware/core/mesh/receiver.js";
import type { MeshEffect, MeshEvent } from "../../../firmware/core/mesh/vocabulary.js";
import { meshHandlers } from "../../../firmware/platform/mesh/mesh-port.js";
import { startMachine } from "../../../firmware/platform/start.js";

interface State {
  readonly device: DeviceState;
  readonly mesh: MeshNodeState;
}

const settings = ({ push }: DeviceState) => ({
  role: config.role as string,
  hardware: "ESP32",
  gateway: "",
  acceptsUnsigned: push.acceptUnsigned,
  slotBytes: push.slotBytes,
});

startMachine<State, MeshEvent, MeshEffect>(
  {
    initial: { device: initialDevice, mesh: initialMeshNode },
    step(state, event) {
      const [mesh, device, effects] = meshNodeStep(
        state.mesh,
        { device: state.device, step, settings },
        event as never,
      );
      return [{ device, mesh }, effects];
    },
  },
  {
    stores: { [MD5_KEY]: 32 },
    connect: ({ dispatch }) => ({ handlers: meshHandlers(dispatch) }),
  },
);
