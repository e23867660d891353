/**
 * What can go wrong on the way: the policy of one connection, decided when it is made. Positions count the bytes that
 * the serving side sends. Holds no connection and no randomness.
 */

/** The fault model of one connection. Everything left out is healthy. */
export interface LinkPolicy {
  /** Added to each way, ms. */
  readonly latencyMs?: number;
  /** Bytes a second on each way. */
  readonly bytesPerSecond?: number;
  /** Maximum number of bytes in each piece of what the server sends; each piece arrives separately. */
  readonly pieceBytesMax?: number;
  /** After this number of bytes nothing arrives any more, without an error. */
  readonly stallAfterBytes?: number;
  /** After this number of bytes the connection ends: with a FIN, as a crashing proxy does, or with a reset. */
  readonly closeAfterBytes?: number;
  /** How `closeAfterBytes` ends the connection; "fin" if left out. */
  readonly closeWith?: "fin" | "reset";
  /** The lowest bit of the byte at this position arrives inverted. */
  readonly flipBitAt?: number;
  /** The connection is refused with a reset. */
  readonly refuse?: boolean;
  /** The connection attempt is swallowed: the client times out. */
  readonly ignore?: boolean;
}

/** What a network loses of all traffic of its stations, though they stay associated. Everything left out is lost. */
export interface Swallowing {
  /** Only what stations send, or only what is sent to them. */
  readonly direction?: "up" | "down";
  /** Names are still resolved. */
  readonly exceptDns?: boolean;
  /** Only behind so many bytes of all connections together, from now on. */
  readonly afterBytes?: number;
}

/** Decides about one new connection to `port` from `address`; undefined is a healthy link. */
export type PolicyOf = (connection: {
  address: string;
  port: number;
  index: number;
}) => LinkPolicy | undefined;

/** The bytes that arrive when `bytes` are sent at `position` of the stream: a copy where a bit is flipped. */
export function corrupt(bytes: Uint8Array, position: number, policy: LinkPolicy): Uint8Array {
  const at = policy.flipBitAt;
  if (at === undefined || at < position || at >= position + bytes.length) return bytes;
  const copy = bytes.slice();
  copy[at - position] = (copy[at - position] as number) ^ 1;
  return copy;
}

/** How many of `length` bytes at `position` still pass before the policy stalls or closes the stream. */
export function passing(length: number, position: number, policy: LinkPolicy): number {
  const end = Math.min(policy.stallAfterBytes ?? Infinity, policy.closeAfterBytes ?? Infinity);
  return Math.max(0, Math.min(length, end - position));
}
