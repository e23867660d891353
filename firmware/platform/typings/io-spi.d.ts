// modules/io/spi, as the panel's driver takes it.

declare module "embedded:io/spi" {
  export default class SPI {
    constructor(options: object);
    write(buffer: ByteBuffer): void;
    close(): void;
  }
}

/** What the SDK's drivers find their pins in; apps/cms/panel/board.ts makes it. */
declare var device: object;
