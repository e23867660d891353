// How often somebody may try a password. Three buckets must all have a drop left: one for this account from this address (so that
// guessing ends soon), one for the address (so that it does not try many accounts), and a wide one for the account from everywhere
// (so that many addresses together guess slowly, but a stranger can hardly keep its owner out). Memory is bounded, see rate.ts.

import { RateLimit } from "../rate.js";

export class LoginThrottle {
  readonly #pair = new RateLimit({ burst: 5, perSecond: 1 / 30 });
  readonly #address = new RateLimit({ burst: 20, perSecond: 1 / 5 });
  readonly #account = new RateLimit({ burst: 100, perSecond: 1 / 10 });

  /** 0: go on. Otherwise milliseconds until the next try. `now` is milliseconds. */
  take(account: string, address: string, now: number): number {
    const from = networkOf(address);
    return Math.max(
      this.#address.take(from, now),
      this.#pair.take(pairOf(account, from), now),
      this.#account.take(account, now),
    );
  }

  /** The password was right: its owner starts anew. */
  succeeded(account: string, address: string): void {
    this.#pair.forget(pairOf(account, networkOf(address)));
  }
}

const pairOf = (account: string, from: string): string => `${from} ${account}`;

/** Who has one IPv6 address has a whole /64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("%")[0]?.split("::") ?? [];
  const groups = head.split(":").filter(Boolean);
  const rest = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array<string>(zeros).fill("0"), ...rest].slice(0, 4).join(":");
}
