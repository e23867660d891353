// What every page is given.

import type { PathParams } from "../paths.js";
import type { Model } from "./model.js";
import type { Place } from "./router.js";

export interface PageProps {
  readonly params: PathParams;
  readonly place: Place;
  /** What the live stream has sent so far. */
  readonly model: Model;
  /** Milliseconds, by this computer's clock. */
  readonly now: number;
}
