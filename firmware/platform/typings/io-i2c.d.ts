// modules/io/i2c, as a sensor's driver takes it.

declare module "embedded:io/i2c" {
  interface Options {
    readonly data: number;
    readonly clock: number;
    /** Of the device on the bus, 0 to 127. */
    readonly address: number;
    readonly hz: number;
  }

  export default class I2C {
    constructor(options: Options);
    /** Throws `Error: write failed` when nothing acknowledges. */
    write(buffer: ByteBuffer): void;
    /** Fills the buffer. Throws `Error: read failed`. */
    read(buffer: ByteBuffer): number;
    close(): void;
  }
}
