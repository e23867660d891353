// Passwords as the server checks them: few at a time, because each takes memory and a fifth of a second of a core, and always one,
// because a name that does not exist must take as long as a wrong password. Those who have signed in before, or are signed in, wait in a
// queue of their own that goes first: however many strangers try, they are not refused for it.

import { Refusal } from "../shared/refusal.js";
import { hashPassword, isOutdated, PASSWORD_COST, type PasswordCost, verifyPassword } from "./password.js";

const MAX_RUNNING_COUNT = 2;
/** In each of the two queues. */
const MAX_WAITING_COUNT = 32;

export class PasswordChecks {
  readonly #cost: PasswordCost;
  readonly #known: (() => void)[] = [];
  readonly #strangers: (() => void)[] = [];
  #runningCount = 0;
  #dummyHash: Promise<string> | undefined;

  constructor(cost: PasswordCost = PASSWORD_COST) {
    this.#cost = cost;
  }

  /** For somebody who has a link, a session or the right password. */
  hash(password: string): Promise<string> {
    return this.#inTurn(this.#known, () => hashPassword(password, this.#cost));
  }

  /**
   * `stored`: of a user who exists and has one. `renewed` is a hash with today's parameters, if the stored one has others.
   * @throws Refusal BUSY
   */
  async verify(
    password: string,
    stored: string | null | undefined,
    { isKnown = false }: { readonly isKnown?: boolean } = {},
  ): Promise<{ readonly isRight: boolean; readonly renewed?: string }> {
    this.#dummyHash ??= hashPassword("a password that no user has", this.#cost);
    const against = stored ?? (await this.#dummyHash);
    const queue = isKnown ? this.#known : this.#strangers;
    const isRight = await this.#inTurn(queue, () => verifyPassword(password, against));
    if (!isRight || !stored) return { isRight: false };
    return isOutdated(stored, this.#cost) ? { isRight, renewed: await this.hash(password) } : { isRight };
  }

  async #inTurn<Result>(queue: (() => void)[], work: () => Promise<Result>): Promise<Result> {
    if (this.#runningCount < MAX_RUNNING_COUNT) this.#runningCount++;
    else await wait(queue);
    try {
      return await work();
    } finally {
      const next = this.#known.shift() ?? this.#strangers.shift();
      if (next) next();
      else this.#runningCount--;
    }
  }
}

/** One that ends hands its place on. */
function wait(queue: (() => void)[]): Promise<void> {
  if (queue.length >= MAX_WAITING_COUNT)
    throw new Refusal("BUSY", `${MAX_WAITING_COUNT} sign-ins wait already: try again in a moment`);
  return new Promise((resolve) => queue.push(resolve));
}
