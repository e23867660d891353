// The `gateway` app: brings images from the update server to nodes that have no network, by radio or by painlessMesh's protocol.

import config from "mc/config";
import type { GatewayConfig } from "./config.js";
import { OTAGateway } from "./ota-gateway.js";

const gateway = new OTAGateway(config as typeof config & GatewayConfig);
gateway.enableOTADistribution(true);
gateway.start();
