// modules/io/storage/esp32: NVS. Keys have 1 to 15 characters, strings at most 3999 bytes; each write is committed.

declare module "embedded:storage/key-value" {
  interface Formats {
    buffer: ArrayBuffer;
    string: string;
    uint8: number;
    int8: number;
    uint16: number;
    int16: number;
    uint32: number;
    int32: number;
    uint64: bigint;
    int64: bigint;
  }
  export type StorageFormat = keyof Formats;

  export class Storage<F extends StorageFormat = "buffer"> {
    private constructor();
    close(): void;
    delete(key: string): void;
    /** undefined for a missing key (which the SDK's own declaration omits). A value of another type: undefined or TypeError. */
    read(key: string): Formats[F] | undefined;
    read(key: string, buffer: ByteBuffer): number | undefined;
    write(key: string, value: F extends "buffer" ? ByteBuffer : Formats[F]): void;
    /** Keys; a rewritten key moves to the end. */
    [Symbol.iterator](): Iterator<string>;
    format: F;
  }

  const keyValue: {
    /** `path` is the NVS namespace, at most 15 characters. */
    open<F extends StorageFormat = "buffer">(options: {
      readonly path: string;
      readonly mode?: "r" | "r+";
      readonly format?: F;
    }): Storage<F>;
  };
  export default keyValue;
}
