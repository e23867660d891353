// Slows down guesses of the owner's token. Only counts: whose answer was wrong is decided elsewhere. Bounded: eight addresses and
// four known ones are kept, and one count for all others together.
//
//   of one address   three wrong answers are free; after each further one it has to wait: 1, 2, 4 … s, at most 5 minutes
//   of all           thirty, of which one comes back every ten seconds; after that all addresses wait that have never shown the token
//
// So an address of its own for each guess does not help beyond six guesses a minute, and an owner whose computer has shown the token once
// since the device's start is not kept out by somebody else's guesses.

import type { Stamped } from "../event.js";

export interface WrongTokens {
  /** The newest last. */
  readonly addresses: readonly WrongAddress[];
  /** Those that have shown the token, the newest last. */
  readonly known: readonly string[];
  /** Wrong answers of all addresses that have not come back by `atMs`, with fractions. */
  readonly spent: number;
  readonly atMs: number;
}

interface WrongAddress {
  readonly address: string;
  readonly count: number;
  /** It has to wait until then, ms since the boot. */
  readonly untilMs: number;
}

const MAX_ADDRESS_COUNT = 8;
const MAX_KNOWN_COUNT = 4;
const FREE_COUNT = 3;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 300_000;
/** After that long without a wrong answer an address begins anew. */
const FORGOTTEN_MS = 600_000;
const FREE_OF_ALL = 30;
const ONE_COMES_BACK_MS = 10_000;

export const noWrongTokens: WrongTokens = Object.freeze({
  addresses: Object.freeze([]),
  known: Object.freeze([]),
  spent: 0,
  atMs: 0,
});

/** Who asks, and when. */
type Asked = Pick<Stamped, "at"> & { readonly address?: string | undefined };

/** How long this address has to wait before an answer of its is looked at, ms; 0: not at all. */
export function waitMs(wrong: WrongTokens, { address = "", at }: Asked): number {
  const own = wrong.addresses.find((one) => one.address === address)?.untilMs ?? 0;
  const excess = wrong.known.includes(address) ? 0 : spentAt(wrong, at) - (FREE_OF_ALL - 1);
  return Math.max(0, own - at, Math.ceil(excess * ONE_COMES_BACK_MS));
}

/** A wrong answer. */
export function noteWrong(wrong: WrongTokens, { address = "", at }: Asked): WrongTokens {
  const before = wrong.addresses.find((one) => one.address === address);
  const isOld = before === undefined || at - before.untilMs > FORGOTTEN_MS;
  const count = isOld ? 1 : before.count + 1;
  const others = wrong.addresses.filter((one) => one.address !== address);
  return {
    ...wrong,
    addresses: [...others, { address, count, untilMs: at + waitAfter(count) }].slice(-MAX_ADDRESS_COUNT),
    spent: Math.min(FREE_OF_ALL, spentAt(wrong, at) + 1),
    atMs: at,
  };
}

/** A right answer. */
export function noteRight(wrong: WrongTokens, { address = "" }: Pick<Asked, "address">): WrongTokens {
  if (wrong.known.at(-1) === address && wrong.addresses.length === 0) return wrong;
  return {
    ...wrong,
    addresses: wrong.addresses.filter((one) => one.address !== address),
    known: [...wrong.known.filter((one) => one !== address), address].slice(-MAX_KNOWN_COUNT),
  };
}

const waitAfter = (count: number): number =>
  count <= FREE_COUNT ? 0 : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - FREE_COUNT - 1));

const spentAt = ({ spent, atMs }: WrongTokens, at: number): number =>
  Math.max(0, spent - (at - atMs) / ONE_COMES_BACK_MS);
