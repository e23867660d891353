/** `embedded:io/socket/udp` over the virtual network. Datagrams queue until firmware reads them. */

import type { Machine } from "../../machine/machine.js";
import { normalizeAddress } from "../../network/address.js";
import type { Datagram, UdpSocket } from "../../network/ip-node.js";
import { announceQueue, type Dictionary, type Native } from "../native.js";

/** lwIP's pool of packet buffers is bounded; further datagrams are lost. */
const QUEUED_COUNT_MAX = 32;

interface UdpHandle {
  readonly socket: UdpSocket;
  readonly packets: Datagram[];
}

export function createUdp(machine: Machine, native: Native): { UDP: object } {
  const handles = new WeakMap<object, UdpHandle | undefined>();

  function handleOf(object: object): UdpHandle {
    const handle = handles.get(object);
    if (handle === undefined) throw native.invalidHandle(handles.has(object));
    return handle;
  }

  function addressArgument(parameters: readonly unknown[], index: number): string {
    native.needArguments(parameters, index + 1);
    const address = normalizeAddress(native.text(parameters[index]));
    if (address === undefined) throw native.rangeError("invalid IP address");
    return address;
  }

  class UDP {
    constructor(...parameters: [unknown?]) {
      handles.set(this, undefined);
      native.needArguments(parameters, 1);
      handles.set(this, open(machine, native, this, parameters[0] as Dictionary));
    }

    close(): void {
      if (!handles.has(this)) throw native.invalidHandle(false);
      const handle = handles.get(this);
      handles.set(this, undefined);
      handle?.socket.close();
      handle?.packets.splice(0);
    }

    read(): unknown {
      const packet = handleOf(this).packets.shift();
      if (packet === undefined) return undefined;
      const { port, address } = packet;
      return Object.assign(native.arrayBuffer(packet.bytes), { port, address });
    }

    write(...parameters: [unknown?, unknown?, unknown?]): void {
      const { socket } = handleOf(this);
      const address = addressArgument(parameters, 1);
      native.needArguments(parameters, 3);
      const bytes = native.bytesOf(parameters[0]);
      const port = native.integer(parameters[2]) & 0xffff;
      if (!socket.send(bytes, address, port)) throw native.error("UDP send failed");
    }

    add(...parameters: [unknown?]): void {
      const { socket } = handleOf(this);
      const address = addressArgument(parameters, 0);
      if (address === "255.255.255.255") throw native.error("broadcast is not multicast");
      socket.groups.add(address);
    }

    remove(...parameters: [unknown?]): void {
      handleOf(this).socket.groups.delete(addressArgument(parameters, 0));
    }

    get format(): string {
      return "buffer";
    }

    set format(value: string) {
      if (value !== "buffer") throw native.rangeError("");
    }
  }
  Object.freeze(native.adopt(UDP).prototype);
  return { UDP };
}

function open(machine: Machine, native: Native, object: object, dictionary: Dictionary): UdpHandle {
  const onReadable = native.callback(dictionary, "onReadable");
  const { network } = machine;
  if (!network.hasInterface) throw native.error("no network");
  const port = "port" in dictionary ? native.integer(dictionary.port) : 0;
  if (port < 0 || port > 65535) throw native.rangeError("invalid port");
  const timeToLive = "timeToLive" in dictionary ? native.integer(dictionary.timeToLive) : 1;
  if (timeToLive <= 0 || timeToLive > 255) throw native.rangeError("invalid timeToLive");
  if ("target" in dictionary) (object as Dictionary).target = dictionary.target;
  if (dictionary.format && dictionary.format !== "buffer") throw native.rangeError("invalid format");
  if (network.isUdpFull) throw native.rangeError("no socket");
  const packets: Datagram[] = [];
  const deliver = announceQueue(machine, object, packets, onReadable);
  const socket = network.bindUdp(port, (datagram) => {
    if (packets.length >= QUEUED_COUNT_MAX) return;
    packets.push(datagram);
    deliver();
  });
  if (socket === undefined) throw native.error("bind failed");
  return { socket, packets };
}
