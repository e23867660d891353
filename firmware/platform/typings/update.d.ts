// modules/io/update/esp32: esp_ota_begin, _write, _end and _set_boot_partition. Its errors say no more than which of them failed.

declare module "embedded:update" {
  import type { Flash } from "embedded:storage/flash";

  export interface Updater {
    close(): void;
    /** Verifies the image and makes it the boot slot; `Error: end failed` otherwise. The handle is gone either way. */
    complete(): void;
    write(bytes: ByteBuffer): void;
    /** Mode "w" only: in mode "a" a second argument is an error. */
    write(bytes: ByteBuffer, byteOffset: number): void;
    readonly format: "buffer";
  }

  const update: {
    /** "a" (default): sequential, erases as it goes. "w": at offsets, erases when opened. */
    open(options: {
      readonly partition: Flash;
      readonly mode?: "a" | "w";
      readonly byteLength?: number;
    }): Updater;
  };
  export default update;
}
