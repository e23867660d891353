// A painlessMesh node with a probe, whose role is `led`.

import { step } from "../../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { initialMeshNode, type MeshNodeState, meshNodeStep } from "../../../../firmware/core/mesh/node.js";
import { MD5_KEY } from "../../../../firmware/core/mesh/receiver.js";
import type { MeshEffect, MeshEvent } from "../../../../firmware/core/mesh/vocabulary.js";
import { meshHandlers } from "../../../../firmware/platform/mesh/mesh-port.js";
import { startMachine } from "../../../../firmware/platform/start.js";
import { probed } from "./probe.js";

interface State {
  readonly device: DeviceState;
  readonly mesh: MeshNodeState;
}

const settings = ({ push }: DeviceState) => ({
  role: "led",
  hardware: "ESP32",
  gateway: "",
  acceptsUnsigned: push.acceptUnsigned,
  slotBytes: push.slotBytes,
});

startMachine<State, MeshEvent, MeshEffect>(
  {
    initial: { device: initialDevice, mesh: initialMeshNode },
    step: probed((state: State, event) => {
      const machine = { device: state.device, step, settings };
      const [mesh, device, effects] = meshNodeStep(state.mesh, machine, event as never);
      return [{ device, mesh }, effects];
    }),
  },
  { stores: { [MD5_KEY]: 32 }, connect: ({ dispatch }) => ({ handlers: meshHandlers(dispatch) }) },
);
