// The history of the tables, one a line. A migration that was released is never edited: a change is a new one with the next
// number.

import { first } from "./0001-first.js";
import { retention } from "./0002-retention.js";
import { rollouts } from "./0010-rollouts.js";
import { labels } from "./0011-labels.js";
import { users } from "./0020-users.js";
import { audit } from "./0021-audit.js";
import { deviceIdentities } from "./0022-device-identities.js";
import { types } from "./0030-types.js";
import { mesh } from "./0031-mesh.js";
import { attributes } from "./0032-attributes.js";
import { webhooks } from "./0040-webhooks.js";
import { content } from "./0050-content.js";
import { fleet } from "./0060-fleet.js";
import { noOpChecks } from "./0070-quiet-checks.js";
import { deviceOrders } from "./0075-device-orders.js";
import { rolloutEdits } from "./0080-rollout-edits.js";
import { readings } from "./0090-readings.js";
import { loginBuckets } from "./0100-login-buckets.js";
import { sightings } from "./0110-sightings.js";
import { tokenMakers } from "./0120-token-makers.js";
import { vouching } from "./0121-vouching.js";
import { signIns } from "./0124-sign-ins.js";
import { eventKinds } from "./0125-event-kinds.js";
import { sentCounts } from "./0127-sent-counts.js";
import { meshProgress } from "./0128-mesh-progress.js";
import { systems } from "./0129-systems.js";
import { meshRules } from "./0130-mesh-rules.js";
import { removedDevices } from "./0140-removed-devices.js";
import { bulkJobs } from "./0141-bulk-jobs.js";
import { trustRoots } from "./0142-trust-roots.js";
import { frozenDevices } from "./0143-frozen-devices.js";
import { abilities } from "./0150-abilities.js";
import { panels } from "./0151-panels.js";
import { readingSamples } from "./0152-reading-samples.js";
import { savedViews } from "./0153-saved-views.js";
import { withdrawnReleases } from "./0156-withdrawn-releases.js";
import { deviceFreshness } from "./0157-device-freshness.js";
import type { StoreMigration } from "./migration.js";

// biome-ignore format: one a line, so that two branches that add one do not meet
export const migrations: readonly StoreMigration[] = [
  first,
  retention,
  rollouts,
  labels,
  users,
  audit,
  deviceIdentities,
  types,
  mesh,
  attributes,
  webhooks,
  content,
  fleet,
  noOpChecks,
  deviceOrders,
  rolloutEdits,
  readings,
  loginBuckets,
  sightings,
  tokenMakers,
  vouching,
  signIns,
  eventKinds,
  sentCounts,
  meshProgress,
  systems,
  meshRules,
  removedDevices,
  bulkJobs,
  trustRoots,
  frozenDevices,
  abilities,
  panels,
  readingSamples,
  savedViews,
  withdrawnReleases,
  deviceFreshness,
];
