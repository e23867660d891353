/**
 * A device for tests of the network: the real event loop and realm, and the network modules and a timer on it. No flash, no
 * boot loader: it runs the text that it is given.
 */

import { compileBundle, realmFor, runBundle } from "../../../host-sim/engine/evaluate.js";
import type { BootEnd } from "../../../host-sim/machine/boot-end.js";
import type { Hardware, Machine } from "../../../host-sim/machine/machine.js";
import { VirtualMachine } from "../../../host-sim/machine/virtual-machine.js";
import { createNetworkModules } from "../../../host-sim/modules/network/network-modules.js";
import { VirtualNetwork } from "../../../host-sim/network/virtual-network.js";
import { World } from "../../../host-sim/world/world.js";

export interface StubDevice {
  readonly name: string;
  readonly machine: Machine;
  readonly traces: string[];
  /** How the boot ended; undefined while it runs. */
  readonly end: BootEnd | undefined;
  powerOff(): void;
}

export function createWorld(seed = 1): { world: World; network: VirtualNetwork } {
  const world = new World({ seed });
  return { world, network: new VirtualNetwork({ world }) };
}

/** Starts a program with the SDK's imports. */
export function startDevice(
  network: VirtualNetwork,
  source: string,
  options: { name?: string; macEnd?: number; hasInterface?: boolean } = {},
): StubDevice {
  const { world } = network;
  const name = options.name ?? "device";
  const traces: string[] = [];
  let end: BootEnd | undefined;
  const mac = Uint8Array.of(0x24, 0x6f, 0x28, 0, 0, options.macEnd ?? 2);
  const attached = network.attach({ name, mac });
  if (options.hasInterface) attached.stack.interfaceStarted();
  const realm = realmFor(source);
  const machine = new VirtualMachine({
    hardware: { mac, chip: "esp32", network: attached.stack, radio: attached.radio } as unknown as Hardware,
    realm,
    world,
    random: world.randomStream(name),
    onTrace: (text) => traces.push(text),
    onEnd: (how) => {
      end = how;
      attached.vanish();
    },
  });
  const modules = createNetworkModules(machine);
  modules.set("timer", realm.adopt({ default: timerOf(machine) }));
  machine.start(() => runBundle(compileBundle(source, realm), modules, realm));
  return {
    name,
    machine,
    traces,
    get end() {
      return end;
    },
    powerOff: () => machine.powerOff(),
  };
}

function timerOf(machine: VirtualMachine): object {
  return {
    set(callback: (id: object) => void, delayMs = 0) {
      const timer = machine.timers.add(machine.uptimeMs(), delayMs, 0, () => callback(timer));
      return timer;
    },
  };
}
