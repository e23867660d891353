// The ports of this computer that lead to the simulator's devices: of each its pages, and its port for pushed images, by HTTP and by espota.
// A device's page sends images to port 3232 of the host that it was loaded from: so each device has a loopback address of its own, with that
// port, where the computer has so many addresses and the port is free. Else other ports take their place, and only that page's button fails.

import { PUSH_PORT } from "../../firmware/core/local/push.js";
import type { Desk } from "../desk/desk.js";
import type { VirtualDevice } from "../device/device.js";
import { type Door, exposeOnLoopback } from "../network/bridge.js";
import { exposeEspota } from "../network/espota-bridge.js";
import type { IpNode } from "../network/ip-node.js";

/** Of one device. */
export interface Doors {
  readonly portalUrl: string;
  /** Where images are pushed to. */
  readonly pushUrl: string;
  /** The same for espota's clients. */
  readonly espota: { readonly address: string; readonly port: number };
  /** Why the page's "Send and install" does not work from this computer; undefined: it does. */
  readonly problem: string | undefined;
  close(): void;
}

export interface DoorOptions {
  /** The first device's; each other device has the next one. 0 or absent: free ones. */
  readonly portalPort?: number | undefined;
  /** Likewise. Absent: PUSH_PORT, or a free one. */
  readonly pushPort?: number | undefined;
}

const LOOPBACK = "127.0.0.1";

/** @param index of the device, from 0 */
export async function openDoors(
  { network }: Desk,
  guest: IpNode,
  device: VirtualDevice,
  index: number,
  { portalPort = 0, pushPort }: DoorOptions,
): Promise<Doors> {
  const open: { close(): void }[] = [];
  const close = () => {
    for (const door of open) door.close();
  };
  const add = <Any extends { close(): void }>(door: Any): Any => {
    open.push(door);
    return door;
  };
  const expose = async (devicePort: number, realPort: number, realAddress: string) =>
    add(await exposeOnLoopback({ network, device, devicePort, realPort, realAddress }));
  try {
    const wanted = pushPort === undefined ? PUSH_PORT : pushPort === 0 ? 0 : pushPort + index;
    const push =
      pushPort === undefined
        ? await onOwnAddress(index, (address, port) => expose(PUSH_PORT, port, address))
        : await expose(PUSH_PORT, wanted, LOOPBACK);
    const pages = await expose(80, portalPort === 0 ? 0 : portalPort + index, push.address);
    const invite = (realPort: number) =>
      exposeEspota({ network, guest, device, devicePort: PUSH_PORT, realAddress: push.address, realPort });
    const espota = add(await invite(push.port).catch(() => invite(0)));
    return {
      portalUrl: `http://${hostOf(push.address)}:${pages.port}`,
      pushUrl: `http://${hostOf(push.address)}:${push.port}/update`,
      espota: { address: push.address, port: espota.port },
      problem:
        push.port === PUSH_PORT
          ? undefined
          : `"Send and install" on its page needs port ${PUSH_PORT} of this computer, which is not its own: push to the address above`,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** 127.0.0.1 for the first device, 127.0.0.2 for the second: Linux has them all, macOS and Windows the first alone. */
async function onOwnAddress(
  index: number,
  expose: (address: string, port: number) => Promise<Door>,
): Promise<Door> {
  try {
    return await expose(`127.0.0.${index + 1}`, PUSH_PORT);
  } catch {
    return expose(LOOPBACK, 0);
  }
}

const hostOf = (address: string): string => (address === LOOPBACK ? "localhost" : address);
