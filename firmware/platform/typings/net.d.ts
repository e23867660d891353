// modules/network/net. Without an interface that is up, its results are undefined.

declare module "net" {
  const net: {
    get(what: "IP" | "MAC", of?: "station" | "ap" | "ethernet"): string | undefined;
    get(what: "SSID" | "BSSID"): string | undefined;
    get(what: "RSSI" | "CHANNEL"): number | undefined;
    /** Addresses of the name servers. */
    get(what: "DNS"): string[] | undefined;
    resolve(name: string, callback: (name: string, address?: string) => void): void;
  };
  export default net;
}
