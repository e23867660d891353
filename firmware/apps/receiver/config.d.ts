// What a build of `receiver` is configured with besides what every build is: "config" in manifest-app.json.

import type { PairConfig } from "../../core/pair/pair-build.js";
import type { MqttConfig } from "./core/telling.js";

export interface ReceiverConfig extends PairConfig {
  /** Length of the partition `cache`, bytes; default: that of partitions/8mb-gateway.csv. */
  readonly cacheBytes?: number;
  /** Name of the pair's system at the update server (`skyslot system sign`); absent: each device is updated for itself. */
  readonly system?: string;
  /** What becomes of a newer system: `install`, which is the default, or `notify`. */
  readonly updates?: "install" | "notify";
  /** A broker that is told what happens to updates; absent: none. */
  readonly mqtt?: MqttConfig;
}
