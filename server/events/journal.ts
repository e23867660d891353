// One transaction's changes to what people look at: writes them to the store and collects them, so that they are sent to
// watchers once the transaction is committed, and never if it is not. What a person changes is written to the audit log in the same
// transaction: `recordChange` hands out no result before its work has said what that was.

import type { Actor } from "../shared/actor.js";
import type { Rollout } from "../shared/rollout.js";
import type {
  Device,
  FirmwareChanges,
  NewFirmware,
  NewLogEvent,
  NewRollout,
  NewUpdate,
  Store,
  TransactionOptions,
  Update,
  UpdateChanges,
} from "../store/store.js";
import { type Audited, describeChange, isUnchanged } from "./audit.js";
import type { Live, LiveMessage } from "./live.js";
import { queueEvent } from "./webhooks/queue.js";

export class Journal {
  readonly store: Store;
  /** Milliseconds since 1970, the same for the whole transaction. */
  readonly time: number;
  /** Who makes the change; absent: a device, or the server itself. */
  readonly actor: Actor | undefined;
  readonly #messages: LiveMessage[] = [];
  #auditCount = 0;
  /** What is to happen in a transaction of its own once this one is kept, by name: each once. */
  readonly followUps = new Map<string, (recorder: Recorder) => Promise<void>>();

  constructor(store: Store, time: number, actor?: Actor) {
    this.store = store;
    this.time = time;
    this.actor = actor;
  }

  get isAudited(): boolean {
    return this.#auditCount > 0;
  }

  /** Says what the actor changes. Secrets are left out, and so are fields that stay as they are: if all do, there is no line. */
  async audit(change: Audited): Promise<void> {
    if (!this.actor) throw new Error(`${change.action} has no actor: use recordChange`);
    this.#auditCount++;
    const described = describeChange(change);
    if (isUnchanged(described)) return;
    await this.store.addAudit({ ...described, ...nameActor(this.actor), time: this.time });
  }

  async log(event: Omit<NewLogEvent, "time">): Promise<void> {
    const stored = await this.store.addEvent({ ...event, time: this.time });
    await queueEvent(this.store, stored);
    this.#messages.push({ type: "event", event: stored });
  }

  /** @param noOpKey as the store takes it */
  async putDevice(device: Device, noOpKey?: string): Promise<Device> {
    const stored = await this.store.putDevice(device, noOpKey);
    this.#messages.push({ type: "device", device: stored });
    return stored;
  }

  /** A known device was heard, and has said nothing of itself. */
  async touchDevice(device: Device): Promise<Device> {
    await this.store.touchDevice(device.id, this.time);
    const touched = { ...device, lastSeen: this.time };
    this.announceDevice(touched);
    return touched;
  }

  /** What watchers see of a device besides its row has changed. */
  announceDevice(device: Device): void {
    this.#messages.push({ type: "device", device });
  }

  async addUpdate(update: Omit<NewUpdate, "createdAt">): Promise<Update> {
    return this.#announce(await this.store.addUpdate({ ...update, createdAt: this.time }));
  }

  async changeUpdate(id: number, changes: UpdateChanges): Promise<Update> {
    return this.#announce(await this.store.changeUpdate(id, changes, this.time));
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

  async addRollout(rollout: NewRollout): Promise<Rollout> {
    const stored = await this.store.addRollout(rollout);
    this.#messages.push({ type: "rollout", rollout: stored });
    return stored;
  }

  async putRollout(rollout: Rollout): Promise<Rollout> {
    await this.store.putRollout(rollout);
    this.#messages.push({ type: "rollout", rollout });
    return rollout;
  }

  tell(live: Live): void {
    live.publish(this.#messages);
  }

  #announce(update: Update): Update {
    this.#messages.push({ type: "update", update });
    return update;
  }
}

const nameActor = ({ name, kind, userId, address }: Actor) => ({
  actor: name,
  actorKind: kind,
  userId,
  address,
});

/** What recording needs of a server. */
export interface Recorder {
  readonly store: Store;
  readonly live: Live;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Runs `work` of a device, or of the server itself, in a transaction, perhaps more than once, and notifies the watchers afterwards.
 */
export function record<Result>(
  recorder: Recorder,
  work: (journal: Journal) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  return run(recorder, undefined, work, options);
}

/** The same for work of a person or a program. It must call `journal.audit`: a change that is not audited is not kept. */
export function recordChange<Result>(
  recorder: Recorder,
  actor: Actor,
  work: (journal: Journal) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  const audited = async (journal: Journal) => {
    const result = await work(journal);
    if (!journal.isAudited)
      throw new Error(`${actor.name} changed something without a line in the audit log`);
    return result;
  };
  return run(recorder, actor, audited, options);
}

async function run<Result>(
  recorder: Recorder,
  actor: Actor | undefined,
  work: (journal: Journal) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  const { store, live } = recorder;
  const time = Math.round(recorder.now());
  let journal: Journal | undefined;
  const result = await store.transaction((transaction) => {
    journal = new Journal(transaction, time, actor);
    return work(journal);
  }, options);
  journal?.tell(live);
  for (const followUp of journal?.followUps.values() ?? []) await followUp(recorder);
  return result;
}
