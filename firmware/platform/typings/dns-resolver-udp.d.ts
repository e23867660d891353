// examples/io/udp/dns of the SDK: asks one server after another; a name that ends in .local by multicast.

declare module "embedded:network/dns/resolver/udp" {
  import type UDP from "embedded:io/socket/udp";

  export default class Resolver {
    constructor(options: { readonly servers: string[]; readonly socket: { readonly io: typeof UDP } });
    close(): void;
    resolve(options: {
      readonly host: string;
      readonly onResolved?: (host: string, address: string) => void;
      readonly onError?: (host: string) => void;
    }): void;
  }
}
