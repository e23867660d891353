// Who may begin a transaction: anybody, unless one that others kept setting back has the floor. Then the others of this process wait until it
// is through. Those of other servers do not, but conflicts become rare enough that it ends.

import { Mutex } from "../../shared/mutex.js";

export class Floor {
  readonly #turns = new Mutex();
  #taken: Promise<unknown> | undefined;

  /** Resolves when nobody has it. */
  async isFree(): Promise<void> {
    while (this.#taken) await this.#taken;
  }

  /** Nobody else begins while this work runs; who also wants the floor has it after that. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(async () => {
      const done = work();
      const ended = done.then(
        () => undefined,
        () => undefined,
      );
      this.#taken = ended;
      try {
        return await done;
      } finally {
        if (this.#taken === ended) this.#taken = undefined;
      }
    });
  }
}
