// The packets of MQTT 3.1.1 that a publisher needs (OASIS standard, 29 October 2014), as bytes. It subscribes to nothing, so all that a
// broker may send it has four bytes at most: whatever is longer, or of another kind, is a fault of the broker, and is not collected.
//
//   byte 0      kind (high half), flags
//   bytes 1 …   length of what follows, 7 bits a byte, lowest first; bit 7: one more follows (section 2.2.3)

import { utf8Encode } from "../bytes.js";

export interface ConnectOptions {
  readonly clientId: string;
  /** Empty: none. */
  readonly user: string;
  readonly password: string;
  readonly keepAliveSeconds: number;
  /** What the broker publishes, retained, when this client is lost. */
  readonly will: { readonly topic: string; readonly payload: string };
}

const CONNECT = 0x10;
const CONNACK = 0x20;
const PUBLISH = 0x30;
const PUBACK = 0x40;
const PINGREQ = 0xc0;
const PINGRESP = 0xd0;
const DISCONNECT = 0xe0;

/** Of the variable header of CONNECT, 3.1.2.3. */
const CLEAN_SESSION = 0x02;
/** With a retained will at QoS 1. */
const WILL = 0x2c;
const PASSWORD = 0x40;
const USER = 0x80;

/** "MQTT", level 4. */
const PROTOCOL = Object.freeze([0, 4, 77, 81, 84, 84, 4] as const);

export function connectPacket({
  clientId,
  user,
  password,
  keepAliveSeconds,
  will,
}: ConnectOptions): Uint8Array {
  const flags = CLEAN_SESSION | WILL | (user === "" ? 0 : USER | (password === "" ? 0 : PASSWORD));
  const texts = [clientId, will.topic, will.payload];
  if (user !== "") texts.push(user);
  if (user !== "" && password !== "") texts.push(password);
  return packet(CONNECT, [...PROTOCOL, flags, keepAliveSeconds >> 8, keepAliveSeconds & 0xff], texts, "");
}

/** At QoS 1. @param id 1 to 65 535; the broker names it when it has the message */
export function publishPacket(message: Message, id: number, isAgain: boolean): Uint8Array {
  const kind = PUBLISH | 0x02 | (message.isRetained ? 0x01 : 0) | (isAgain ? 0x08 : 0);
  const topic = prefixed(message.topic);
  const head = new Uint8Array(topic.length + 2);
  head.set(topic);
  head.set([id >> 8, id & 0xff], topic.length);
  return packet(kind, head, [], message.payload);
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  /** The broker keeps it, for those who subscribe later. */
  readonly isRetained: boolean;
}

export const pingPacket = (): Uint8Array => Uint8Array.of(PINGREQ, 0);
export const disconnectPacket = (): Uint8Array => Uint8Array.of(DISCONNECT, 0);

/** Two bytes say the length, up to 16 383: publisher.ts queues nothing above 1 000 characters. */
function packet(
  kind: number,
  head: ArrayLike<number>,
  texts: readonly string[],
  payload: string,
): Uint8Array {
  const parts = [head, ...texts.map(prefixed), utf8Encode(payload)];
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthBytes = length < 0x80 ? [length] : [0x80 | (length & 0x7f), length >> 7];
  const bytes = new Uint8Array(1 + lengthBytes.length + length);
  bytes[0] = kind;
  bytes.set(lengthBytes, 1);
  let offset = 1 + lengthBytes.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** A text behind its length (1.5.3). */
function prefixed(text: string): Uint8Array {
  const encoded = utf8Encode(text);
  const bytes = new Uint8Array(encoded.length + 2);
  bytes.set([encoded.length >> 8, encoded.length & 0xff]);
  bytes.set(encoded, 2);
  return bytes;
}

/** What a broker says to a publisher. */
export type Answer =
  | { readonly kind: "connected" }
  /** Why, for people. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "published"; readonly id: number }
  | { readonly kind: "alive" };

/** Why a broker refuses a connection, by its return code (3.2.2.3). */
const REFUSALS: readonly string[] = Object.freeze([
  "",
  "the broker does not speak MQTT 3.1.1",
  "the broker does not accept this client's id",
  "the broker is not available",
  "wrong user name or password",
  "this client is not authorized",
]);

/**
 * The first packet in `bytes`, and what is left behind it; `undefined`: it has not arrived as a whole.
 * @returns a sentence where it is no answer to a publisher
 */
export function readAnswer(
  bytes: Uint8Array,
): { readonly answer: Answer; readonly rest: Uint8Array } | string | undefined {
  const [kind = 0, length] = bytes;
  if (bytes.length === 0) return undefined;
  const expected = kind === PINGRESP ? 0 : kind === CONNACK || kind === PUBACK ? 2 : undefined;
  if (expected === undefined)
    return `the broker sent a packet of kind 0x${kind.toString(16)}, which nobody asked for`;
  if (length === undefined) return undefined;
  if (length !== expected)
    return `the broker sent a packet of kind 0x${kind.toString(16)} with ${length} bytes instead of ${expected}`;
  if (bytes.length < 2 + expected) return undefined;
  const first = bytes[2] ?? 0;
  const second = bytes[3] ?? 0;
  return { answer: answerOf(kind, first, second), rest: bytes.slice(2 + expected) };
}

function answerOf(kind: number, first: number, second: number): Answer {
  if (kind === PINGRESP) return { kind: "alive" };
  if (kind === PUBACK) return { kind: "published", id: (first << 8) | second };
  if (second === 0) return { kind: "connected" };
  return { kind: "refused", reason: REFUSALS[second] ?? `the broker refused with code ${second}` };
}
