// modules/io/wifi/esp32: a station and no more; `connection` 200 disconnected, 300 connecting, 400 connected, 500 with addresses.

declare module "embedded:network/interface/wifi" {
  export default class WiFi {
    constructor(options: { readonly onChanged?: (property: "connection" | "address") => void });
    close(): void;
    scan(options: {
      readonly onFound?: (network: {
        readonly SSID: string;
        readonly channel: number;
        readonly RSSI: number;
        readonly BSSID?: string;
      }) => void;
      readonly onComplete?: () => void;
    }): void;
    connect(options: { readonly SSID: string; readonly password?: string }): void;
    disconnect(): void;
    configure(options: {
      readonly hostname?: string;
      readonly static?: { readonly address: string; readonly mask: string; readonly gateway: string } | false;
    }): void;
    readonly connection: number;
    readonly address: string | undefined;
    readonly MAC: string | undefined;
    readonly SSID: string | undefined;
    readonly RSSI: number | undefined;
  }
}
