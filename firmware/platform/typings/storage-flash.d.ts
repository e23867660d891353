// modules/io/flash/esp32. `path` is "running", "nextota", "xs" or the label of a data partition; others throw.

declare module "embedded:storage/flash" {
  export interface FlashStatus {
    /** Bytes. */
    readonly size: number;
    /** Bytes of an erase block: 4096. */
    readonly blockLength: number;
    readonly blocks: number;
    // the SDK's own declaration also promises writeAlign and eraseValue: on ESP32 they are not there
  }

  export class Flash {
    private constructor();
    close(): void;
    /** Erases block `start`, or the blocks from `start` up to `end`, which is not erased. */
    eraseBlock(start: number, end?: number): void;
    read(byteLength: number, byteOffset: number): ArrayBuffer;
    read(buffer: ByteBuffer, byteOffset: number): number;
    /** Can only clear bits: erase first. In the running partition it restarts the chip. */
    write(buffer: ByteBuffer, byteOffset: number): void;
    status(): FlashStatus;
    format: "buffer";
  }

  const flash: {
    /** Writable unless `mode` is "r". */
    open(options: { readonly path: string; readonly mode?: "r" | "r+" }): Flash;
    /** Labels of the partitions, also of those that `open` refuses. */
    [Symbol.iterator](): Iterator<string>;
  };
  export default flash;
}
