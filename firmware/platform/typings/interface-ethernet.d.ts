// modules/io/ethernet/esp32: the same `connection` numbers as the Wi-Fi interface.

declare module "embedded:network/interface/ethernet" {
  export default class Ethernet {
    constructor(options: { readonly onChanged?: (property: "connection" | "address") => void });
    close(): void;
    connect(): void;
    disconnect(): void;
    configure(options: {
      readonly hostname?: string;
      readonly static?: { readonly address: string; readonly mask: string; readonly gateway: string } | false;
    }): void;
    readonly connection: number;
    readonly address: string | undefined;
    readonly MAC: string | undefined;
  }
}
