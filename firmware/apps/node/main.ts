// The `node` app: a device of a mesh with one role. Its updates come from a gateway.

import config from "mc/config";
import type { NodeConfig } from "./config.js";
import { enableOTAReceive } from "./ota-node.js";

enableOTAReceive((config as typeof config & NodeConfig).role);
