// Passwords as the server checks them: few at a time, because each takes memory and a fifth of a second of a core, and always one,
// because a name that does not exist must take as long as a wrong password.

import { Refusal } from "../shared/refusal.js";
import { hashPassword, isOutdated, PASSWORD_COST, type PasswordCost, verifyPassword } from "./password.js";

const MAX_RUNNING_COUNT = 2;
const MAX_WAITING_COUNT = 32;

export class PasswordChecks {
  readonly #cost: PasswordCost;
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;
  #dummyHash: Promise<string> | undefined;

  constructor(cost: PasswordCost = PASSWORD_COST) {
    this.#cost = cost;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password, this.#cost));
  }

  /** `stored`: of a user who exists and has one. `renewed` is a hash with today's parameters, if the stored one has others. */
  async verify(
    password: string,
    stored: string | null | undefined,
  ): Promise<{ readonly isRight: boolean; readonly renewed?: string }> {
    this.#dummyHash ??= hashPassword("a password that no user has", this.#cost);
    const against = stored ?? (await this.#dummyHash);
    const isRight = await this.#inTurn(() => verifyPassword(password, against));
    if (!isRight || !stored) return { isRight: false };
    return isOutdated(stored, this.#cost) ? { isRight, renewed: await this.hash(password) } : { isRight };
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#runningCount < MAX_RUNNING_COUNT) this.#runningCount++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#runningCount--;
    }
  }

  /** One that ends hands its place on. */
  #wait(): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING_COUNT) {
      throw new Refusal("BUSY", `${MAX_WAITING_COUNT} sign-ins wait already: try again in a moment`);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
