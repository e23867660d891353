// What a build of `led` is configured with besides what every build is: "config" in manifest-app.json.

import type { Values } from "../../core/section.js";

export interface LedConfig {
  /** The strip's settings until the owner changes them; see core/settings.ts. */
  readonly strip?: Values;
}
