// One transaction's changes to what people look at: writes them to the store and remembers them, so that they can be told to
// watchers once the transaction is kept, and never if it is not.

import type { Live, LiveMessage } from "./live.js";
import type {
  Device,
  FirmwareChanges,
  NewFirmware,
  NewLogEvent,
  NewUpdate,
  Store,
  TransactionOptions,
  Update,
  UpdateChanges,
} from "./store/store.js";

export class Journal {
  readonly store: Store;
  /** Milliseconds since 1970, the same for the whole transaction. */
  readonly time: number;
  readonly #messages: LiveMessage[] = [];

  constructor(store: Store, time: number) {
    this.store = store;
    this.time = time;
  }

  async log(event: Omit<NewLogEvent, "time">): Promise<void> {
    this.#messages.push({ type: "event", event: await this.store.addEvent({ ...event, time: this.time }) });
  }

  async putDevice(device: Device): Promise<Device> {
    const stored = await this.store.putDevice(device);
    this.#messages.push({ type: "device", device: stored });
    return stored;
  }

  async addUpdate(update: Omit<NewUpdate, "createdAt">): Promise<Update> {
    return this.#told(await this.store.addUpdate({ ...update, createdAt: this.time }));
  }

  async changeUpdate(id: number, changes: UpdateChanges): Promise<Update> {
    return this.#told(await this.store.changeUpdate(id, changes, this.time));
  }

  async addFirmware(firmware: NewFirmware) {
    const stored = await this.store.addFirmware(firmware);
    this.#messages.push({ type: "firmware", firmware: stored });
    return stored;
  }

  async changeFirmware(id: number, changes: FirmwareChanges) {
    const stored = await this.store.changeFirmware(id, changes, this.time);
    if (stored) this.#messages.push({ type: "firmware", firmware: stored });
    return stored;
  }

  tell(live: Live): void {
    live.publish(this.#messages);
  }

  #told(update: Update): Update {
    this.#messages.push({ type: "update", update });
    return update;
  }
}

/** Runs `work` in a transaction, perhaps more than once, and tells the watchers afterwards. */
export async function record<Result>(
  { store, live, now }: { readonly store: Store; readonly live: Live; readonly now: () => number },
  work: (journal: Journal) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  const time = Math.round(now());
  let journal: Journal | undefined;
  const result = await store.transaction((transaction) => {
    journal = new Journal(transaction, time);
    return work(journal);
  }, options);
  journal?.tell(live);
  return result;
}
