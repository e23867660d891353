// modules/io/spi, as the panel's driver takes it.

declare module "embedded:io/spi" {
  export default class SPI {
    constructor(options: object);
    write(buffer: ByteBuffer): void;
    close(): void;
  }
}

/** Where the SDK's drivers look up their pins; apps/cms/panel/board.ts creates it. */
declare var device: object;
