// What a build of `gateway` is configured with besides what every build is: "config" in manifest-app.json.

export interface GatewayConfig {
  /** Nodes of ours look for a gateway of the same name. */
  readonly group?: string;
  /** With the scope mesh:report, where the update server asks gateways for one. */
  readonly gatewayToken?: string;
  /** Length of the partition `cache`, bytes; default: that of partitions/8mb-gateway.csv. */
  readonly cacheBytes?: number;
  readonly statusLed?: { readonly pin: number; readonly activeLow: boolean };
}
