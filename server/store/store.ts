// What the server remembers: the contract that every database behind it fulfils, one file a part. Records only: no rules about
// updates live here, and no time is read here. Times are milliseconds since 1970. test/contract/store says what each method
// promises. A new part is a contract here, its tables and methods in sql/, a migration, and its tests in test/contract/store.

import type { AbilityStore } from "./abilities.js";
import type { ApiTokenStore } from "./api-tokens.js";
import type { AttributeStore } from "./attributes.js";
import type { AuditStore } from "./audit.js";
import type { BlobUseStore } from "./blobs.js";
import type { BulkJobStore } from "./bulk-jobs.js";
import type { ClockStore } from "./clock.js";
import type { ContentStore } from "./content.js";
import type { DeviceIdentityStore } from "./device-identities.js";
import type { DeviceStore } from "./devices.js";
import type { EventStore } from "./events.js";
import type { FirmwareStore } from "./firmware.js";
import type { KnownClientStore } from "./known-clients.js";
import type { LabelStore } from "./labels.js";
import type { LoginBucketStore } from "./login-buckets.js";
import type { MeshStore } from "./mesh.js";
import type { LastSeenStore } from "./no-op-checks.js";
import type { OrderStore } from "./orders.js";
import type { PanelStore } from "./panels.js";
import type { ReadingSampleStore } from "./reading-samples.js";
import type { RemovedDeviceStore } from "./removed-devices.js";
import type { RolloutStore } from "./rollouts.js";
import type { SavedViewStore } from "./saved-views.js";
import type { SigningKeyStore } from "./signing-keys.js";
import type { SystemStore } from "./systems.js";
import type { TrustRootStore } from "./trust-roots.js";
import type { TypeStore } from "./types.js";
import type { UpdateStore } from "./updates.js";
import type { UserStore } from "./users.js";
import type { FleetStore } from "./version-history.js";
import type { WebhookStore } from "./webhooks.js";

export * from "./abilities.js";
export * from "./api-tokens.js";
export * from "./attributes.js";
export * from "./audit.js";
export * from "./blobs.js";
export * from "./bulk-jobs.js";
export * from "./content.js";
export * from "./device-identities.js";
export * from "./devices.js";
export * from "./errors.js";
export * from "./events.js";
export * from "./firmware.js";
export * from "./known-clients.js";
export * from "./labels.js";
export * from "./login-buckets.js";
export * from "./mesh.js";
export * from "./no-op-checks.js";
export * from "./orders.js";
export * from "./page.js";
export * from "./panels.js";
export * from "./reading-samples.js";
export * from "./removed-devices.js";
export * from "./rollouts.js";
export * from "./saved-views.js";
export * from "./signing-keys.js";
export * from "./systems.js";
export * from "./trust-roots.js";
export * from "./types.js";
export * from "./updates.js";
export * from "./users.js";
export * from "./version-history.js";
export * from "./webhooks.js";

/** Every part, one a line. */
// biome-ignore format: one a line, so that two branches that add one do not meet
export interface StoreParts
  extends ApiTokenStore,
    AttributeStore,
    AbilityStore,
    PanelStore,
    SavedViewStore,
    ReadingSampleStore,
    AuditStore,
    BlobUseStore,
    BulkJobStore,
    ClockStore,
    ContentStore,
    DeviceIdentityStore,
    OrderStore,
    DeviceStore,
    EventStore,
    FirmwareStore,
    FleetStore,
    KnownClientStore,
    LabelStore,
    LoginBucketStore,
    MeshStore,
    RemovedDeviceStore,
    RolloutStore,
    SigningKeyStore,
    SystemStore,
    TrustRootStore,
    TypeStore,
    UpdateStore,
    UserStore,
    WebhookStore {}

export interface TransactionOptions {
  /**
   * What it is about, such as `device:base-010203` or `rollout:7`. Only for speed: transactions that name the same thing queue
   * up instead of running into each other and beginning again.
   */
  readonly about?: string;
}

/** @param confirm rejects if the lock was lost: asked right before what cannot be undone */
export type ExclusiveWork<Result> = (confirm: () => Promise<void>) => Promise<Result>;

export interface Store extends StoreParts, LastSeenStore {
  /**
   * All or nothing: what `work` did through the store it is given is kept only if it does not throw. Transactions behave as if
   * one ran after the other. Where several are under way at once `work` may be run again from its beginning, so it touches
   * nothing outside that store. If a method of the store throws inside, nothing is kept, even if `work` catches it. Not nestable.
   */
  transaction<Result>(work: (store: Store) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  /**
   * One at a time of those with the same name, in all servers that share the store. Longer work than a transaction, which may also
   * do things outside the store; it begins transactions of its own, but no other exclusive work, and never inside one.
   * @throws DatabaseLost if the connection that held the lock ended meanwhile, also after work that succeeded
   */
  exclusive<Result>(name: string, work: ExclusiveWork<Result>): Promise<Result>;
  close(): Promise<void>;
}
