// What a build of `transmitter` is configured with besides what every build is: "config" in manifest-app.json.

import type { PairConfig } from "../../core/pair/pair-build.js";

export interface TransmitterConfig extends PairConfig {
  /** Between two telemetries to the receiver, 1 or more; default: 5. */
  readonly telemetrySeconds?: number;
}
