// modules/io/dnssd: multicast DNS and service discovery.

declare module "embedded:network/dnssd" {
  import type UDP from "embedded:io/socket/udp";

  export interface Handle {
    close(): void;
  }
  export type Txt = Map<string, string | ByteBuffer>;
  export interface Service {
    readonly name: string;
    readonly host: string;
    readonly address: string;
    readonly port: number;
    readonly txt?: Map<string, string | undefined>;
  }

  export default class DNSSD {
    constructor(options: { readonly socket: { readonly io: typeof UDP } });
    close(): void;
    /** Takes a host name, without ".local". */
    claim(options: {
      readonly host: string;
      readonly onReady?: () => void;
      readonly onError?: () => void;
    }): Handle;
    advertise(options: {
      /** Such as "_http._tcp". */
      readonly serviceType: string;
      readonly host: string;
      readonly name?: string;
      readonly port: number;
      readonly txt?: Txt;
    }): Handle & { updateTXT(txt: Txt): void };
    discover(options: {
      readonly serviceType: string;
      readonly onFound?: (service: Service) => void;
      readonly onUpdate?: (service: Service) => void;
      readonly onLost?: (service: Service) => void;
    }): Handle;
  }
}
