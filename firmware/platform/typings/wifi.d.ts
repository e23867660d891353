// modules/network/wifi/esp32, the legacy module: the one with an access point, and with a reason when joining fails.

declare module "wifi" {
  export interface AccessPoint {
    readonly ssid: string;
    readonly authentication: "none" | "wep" | "wpa_psk" | "wpa2_psk" | "wpa_wpa2_psk" | undefined;
    readonly rssi: number;
    readonly channel: number;
    readonly hidden: boolean;
    readonly bssid: ArrayBuffer;
  }

  export type Message =
    | "start"
    | "connect"
    | "gotIP"
    | "disconnect"
    | "station_connect"
    | "station_disconnect";

  interface Station {
    readonly ssid: string;
    readonly password?: string;
    readonly bssid?: ArrayBuffer;
    readonly channel?: number;
  }

  export default class WiFi {
    /** `value` comes with "disconnect": -1 when the password was refused, 0 otherwise. */
    constructor(station?: Station, onNotify?: (message: Message, value?: number) => void);
    close(): void;
    /** The callback gets null after the last one. Without arguments: ends a scan. */
    static scan(
      options: { readonly hidden?: boolean; readonly channel?: number; readonly active?: boolean },
      callback: (accessPoint: AccessPoint | null) => void,
    ): void;
    static scan(): void;
    static connect(station: Station): void;
    static disconnect(): void;
    /** Leave the password out for an open network: an empty one throws. */
    static accessPoint(options: {
      readonly ssid: string;
      readonly password?: string;
      readonly channel?: number;
      readonly hidden?: boolean;
      readonly interval?: number;
      readonly max?: number;
      /** Keeps the station as well. */
      readonly station?: boolean;
    }): void;
    static mode: number;
    static readonly Mode: Readonly<Record<"off" | "none" | "station" | "accessPoint", number>>;
  }
}
