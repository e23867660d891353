// What a build of `receiver` is configured with besides what every build is: "config" in manifest-app.json.

import type { PairConfig } from "../../core/pair/pair-build.js";

export interface ReceiverConfig extends PairConfig {
  /** Length of the partition `cache`, bytes; default: that of partitions/8mb-gateway.csv. */
  readonly cacheBytes?: number;
}
