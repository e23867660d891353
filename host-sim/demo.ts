// `npm start`: the main job from nothing to a validated update, by the same steps a user takes on the command line:
//
//   skyslot keys init            a key for releases, made on the spot
//   skyslot image build  (twice) firmware app `base`, 1.0.0 for the new device and 1.1.0 as its update
//   skyslot release sign         1.1.0
//   skyslot server               on a SQLite file under the data folder
//   skyslot release upload       1.1.0
//   skyslot sim                  a virtual ESP32 with 1.0.0, set up by a simulated phone, updates itself

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildImageFile } from "../server/cli/image.js";
import { initKeys } from "../server/cli/keys.js";
import { signReleaseFile, uploadReleaseFile } from "../server/cli/release.js";
import { startServer } from "../server/start.js";
import { DESK_SERVER } from "./desk.js";
import { startSim } from "./sim.js";
import { createTerminal } from "./terminal.js";

export interface DemoOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly manual?: boolean;
  readonly speed?: number;
  /** Seconds; a real build waits 30. */
  readonly trial?: number;
  readonly port?: number;
  readonly data?: string;
}

const FROM = "1.0.0";
const TO = "1.1.0";
const TRIAL_SECONDS = 8;
