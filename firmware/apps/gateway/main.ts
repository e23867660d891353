// The `gateway` app: brings images from the update server to nodes that have no network, by radio or by painlessMesh's protocol.

import { OTAGateway } from "./ota-gateway.js";

const gateway = new OTAGateway();
gateway.enableOTADistribution(true);
gateway.start();
