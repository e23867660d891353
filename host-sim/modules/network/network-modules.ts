/** The SDK's network modules for one boot, by specifier. Composition only. */

import type { Machine } from "../../machine/machine.js";
import { createNative } from "../native.js";
import { createDnsResolver } from "./dns-resolver.js";
import { createDnssd } from "./dnssd.js";
import { createHttpClient } from "./http-client.js";
import { createHttpServer } from "./http-server.js";
import { createListener } from "./listener.js";
import { createNet } from "./net.js";
import { createTcp } from "./tcp.js";
import { createUdp } from "./udp.js";
import { createWifi } from "./wifi.js";
import { createWifiInterface } from "./wifi-interface.js";

/** Module namespace objects with a `default` export each. */
export function createNetworkModules(machine: Machine): Map<string, object> {
  const native = createNative(machine);
  const tcp = createTcp(machine, native);
  const exports: Readonly<Record<string, unknown>> = {
    "embedded:io/socket/tcp": tcp.TCP,
    "embedded:io/socket/udp": createUdp(machine, native).UDP,
    "embedded:io/socket/listener": createListener(machine, native, tcp).Listener,
    "embedded:network/http/client": createHttpClient(machine, native).HTTPClient,
    "embedded:network/http/server": createHttpServer(machine, native).HTTPServer,
    "embedded:network/dns/resolver/udp": createDnsResolver(machine, native).Resolver,
    "embedded:network/dnssd": createDnssd(machine, native).DNSSD,
    "embedded:network/interface/wifi": createWifiInterface(machine, native).WiFi,
    wifi: createWifi(machine, native).WiFi,
    net: createNet(machine, native).Net,
  };
  return new Map(Object.entries(exports).map(([name, value]) => [name, native.adopt({ default: value })]));
}
