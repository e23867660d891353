// One connection to the device: writes an input's bytes, in pieces if it wants, reads the answer, and waits until the device has closed it.

import type { IpNode } from "../../../host-sim/network/ip-node.js";
import { Fault, type House } from "./house.js";

export interface Visit {
  readonly node: IpNode;
  readonly address: string;
  readonly port: number;
  /** Bytes, a character each. */
  readonly text: string;
  readonly pieces?: readonly number[] | undefined;
  readonly pauseMs?: number;
  /** After the last byte: the client waits, ends its side, or resets the connection. */
  readonly end?: "wait" | "close" | "reset";
  readonly limitMs?: number;
}

export interface Visited {
  /** 0: no answer. */
  readonly status: number;
  readonly text: string;
}

/** Longer than the device waits for anything: four times half a minute for a push. */
const VISIT_LIMIT_MS = 300_000;
/** What is kept of an answer. */
const MAX_ANSWER = 16_384;

/** @throws Fault when the connection stays open */
export async function visit(house: House, options: Visit): Promise<Visited> {
  const { limitMs = VISIT_LIMIT_MS } = options;
  const going = begin(house, options);
  const { bootCount } = house.device;
  // the device, or the client, may leave without a word
  const isGone = () =>
    house.device.bootCount !== bootCount ||
    (options.node === house.phone.node && house.phone.joinedSsid === undefined);
  if (!(await house.until(() => going.isOver || isGone(), limitMs)))
    throw new Fault(`a connection to port ${options.port} is still open after ${limitMs / 1000} s`);
  return going;
}

export interface Going extends Visited {
  isOver: boolean;
}

export function begin(house: House, options: Visit): Going {
  const { node, address, port, text, pieces, pauseMs = 1, end = "wait" } = options;
  const bytes = Buffer.from(text, "latin1");
  const going = { status: 0, text: "", isOver: false };
  const socket = node.connect(address, port);
  let offset = 0;
  let count = 0;
  const over = (): void => {
    going.isOver = true;
  };
  const write = (): void => {
    if (going.isOver || socket.state === "closed") return;
    const until = Math.min(bytes.length, offset + (pieces?.[count++ % pieces.length] ?? Infinity));
    if (until > offset) socket.write(bytes.subarray(offset, until));
    offset = until;
    if (offset < bytes.length) house.world.schedule(pauseMs, write);
    else if (end !== "wait") house.world.schedule(pauseMs, leave);
  };
  const leave = (): void => {
    over();
    if (end === "close") socket.close();
    else socket.abort();
  };
  const take = (): void => {
    if (going.text.length < MAX_ANSWER) going.text += Buffer.from(socket.read()).toString("latin1");
    else socket.read();
    if (going.status === 0) going.status = statusOf(going.text);
  };
  socket.events = {
    connected: write,
    received: take,
    ended: () => {
      take();
      over();
      socket.close();
    },
    failed: over,
  };
  return going;
}

const statusOf = (text: string): number =>
  Number(/^HTTP\/1\.1 (\d{3}) /.exec(text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""))?.[1] ?? 0);
