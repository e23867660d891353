// What the journeys of the tests begin with: images, keys and releases made once, and a desk whose server is the real application,
// called as a function.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReleasePayload } from "../../firmware/core/wire.js";
import { DESK_SERVER, Desk, type DeskOptions } from "../../host-sim/desk.js";
import type { DeviceEvent } from "../../host-sim/device.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import { type BuildConfig, buildImage, type TrustedKey } from "../../host-sim/image-build.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../host-sim/network/http-host.js";
import { describeRelease, type KeyPair, makeReleaseKeys, signRelease } from "../../server/release.js";
