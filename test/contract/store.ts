// What every implementation of the server's store promises, one file per part. Call it inside a `describe` with a function that
// opens an empty one.

import type { Store } from "../../server/store/store.js";
import { abilityContract } from "./store/abilities.js";
import { auditContract } from "./store/audit.js";
import { bulkJobContract } from "./store/bulk-jobs.js";
import { clockContract } from "./store/clock.js";
import { contentContract } from "./store/content.js";
import { credentialContract } from "./store/credentials.js";
import { deviceIdentityContract } from "./store/device-identities.js";
import { deviceContract } from "./store/devices.js";
import { eventContract } from "./store/events.js";
import { firmwareContract } from "./store/firmware.js";
import { fleetContract } from "./store/fleet.js";
import { knownClientContract } from "./store/known-clients.js";
import { labelContract } from "./store/labels.js";
import { loginBucketContract } from "./store/login-buckets.js";
import { meshContract } from "./store/mesh.js";
import { orderContract } from "./store/orders.js";
import { removedDeviceContract } from "./store/removed-devices.js";
import { rolloutContract } from "./store/rollouts.js";
import { savedViewContract } from "./store/saved-views.js";
import { systemContract } from "./store/systems.js";
import { transactionContract } from "./store/transactions.js";
import { trustRootContract } from "./store/trust-roots.js";
import { typeContract } from "./store/types.js";
import { updateContract } from "./store/updates.js";
import { userContract } from "./store/users.js";
import { webhookContract } from "./store/webhooks.js";

export function storeContract(open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  deviceContract(() => store);
  labelContract(() => store);
  fleetContract(() => store);
  firmwareContract(() => store);
  systemContract(() => store);
  updateContract(() => store);
  removedDeviceContract(() => store);
  rolloutContract(() => store);
  eventContract(() => store);
  meshContract(() => store);
  abilityContract(() => store);
  savedViewContract(() => store);
  trustRootContract(() => store);
  typeContract(() => store);
  userContract(() => store);
  credentialContract(() => store);
  loginBucketContract(() => store);
  knownClientContract(() => store);
  auditContract(() => store);
  deviceIdentityContract(() => store);
  orderContract(() => store);
  contentContract(() => store);
  webhookContract(() => store);
  bulkJobContract(() => store);
  clockContract(() => store);
  transactionContract(() => store);
}
