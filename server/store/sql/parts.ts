// The parts of the store put together: of a database, and of each transaction on it.

import type { Kysely } from "kysely";
import type { StoreParts } from "../store.js";
import { createAbilityStore } from "./abilities.js";
import { createApiTokenStore } from "./api-tokens.js";
import { createAttributeStore } from "./attributes.js";
import { createAuditStore } from "./audit.js";
import { createBlobUseStore } from "./blobs.js";
import { createBulkJobStore } from "./bulk-jobs.js";
import { createClockStore } from "./clock.js";
import { createContentStore } from "./content.js";
import type { SqlDialect } from "./database.js";
import { createDeviceIdentityStore } from "./device-identities.js";
import { createDeviceStore } from "./devices.js";
import { createEventStore } from "./events.js";
import { createFirmwareStore } from "./firmware.js";
import { createKnownClientStore } from "./known-clients.js";
import { createLabelStore } from "./labels.js";
import { createLoginBucketStore } from "./login-buckets.js";
import { createMeshStore } from "./mesh.js";
import { createOrderStore } from "./orders.js";
import { createPanelStore } from "./panels.js";
import { createReadingSampleStore } from "./reading-samples.js";
import { createRemovedDeviceStore } from "./removed-devices.js";
import { createRolloutStore } from "./rollouts.js";
import { createSavedViewStore } from "./saved-views.js";
import { createSigningKeyStore } from "./signing-keys.js";
import { createSystemStore } from "./systems.js";
import type { Tables } from "./tables.js";
import { createTrustRootStore } from "./trust-roots.js";
import { createTypeStore } from "./types.js";
import { createUpdateStore } from "./updates.js";
import { createUserStore } from "./users.js";
import { createFleetStore } from "./version-history.js";
import { createWebhookStore } from "./webhooks.js";

type Create = (db: Kysely<Tables>, dialect: SqlDialect) => object;

/** Every part, one a line. */
const PARTS = Object.freeze([
  createBlobUseStore,
  createBulkJobStore,
  createDeviceStore,
  createLabelStore,
  createFirmwareStore,
  createSystemStore,
  createUpdateStore,
  createRemovedDeviceStore,
  createRolloutStore,
  createEventStore,
  createFleetStore,
  createTypeStore,
  createTrustRootStore,
  createAttributeStore,
  createAbilityStore,
  createPanelStore,
  createSavedViewStore,
  createReadingSampleStore,
  createMeshStore,
  createUserStore,
  createApiTokenStore,
  createSigningKeyStore,
  createLoginBucketStore,
  createKnownClientStore,
  createAuditStore,
  createDeviceIdentityStore,
  createOrderStore,
  createContentStore,
  createWebhookStore,
  createClockStore,
] as const satisfies readonly Create[]);

type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer Each) => void
  ? Each
  : never;
type Parts = All<ReturnType<(typeof PARTS)[number]>>;

export function createParts(db: Kysely<Tables>, dialect: SqlDialect): StoreParts {
  const parts: Parts = Object.assign({}, ...PARTS.map((create) => create(db, dialect)));
  return parts;
}

/**
 * The same for transactions, each of which uses few of them: a part is made when the first of its functions is asked for. To make all
 * of them took a sixth of the time of a whole check.
 *
 * @param db any: what the parts are called does not depend on it
 * @param more what such a store has besides
 */
export function partsOnDemand<More extends object>(
  db: Kysely<Tables>,
  dialect: SqlDialect,
  more: More,
): (transaction: Kysely<Tables>) => StoreParts & More {
  class OnDemand {
    readonly #transaction: Kysely<Tables>;
    readonly #made: Record<string, unknown>[] = [];

    constructor(transaction: Kysely<Tables>) {
      this.#transaction = transaction;
    }

    static {
      Object.assign(OnDemand.prototype, more);
      for (const [at, create] of (PARTS as readonly Create[]).entries()) {
        for (const name of Object.keys(create(db, dialect))) {
          Object.defineProperty(OnDemand.prototype, name, {
            get(this: OnDemand) {
              this.#made[at] ??= { ...create(this.#transaction, dialect) };
              return this.#made[at][name];
            },
          });
        }
      }
    }
  }
  return (transaction) => new OnDemand(transaction) as unknown as StoreParts & More;
}
