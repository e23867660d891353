// What a NOR flash chip does in one go, and the sizes that it does it in.

/** Smallest piece that can be erased. */
export const SECTOR_BYTES = 4096;

/** Erased by one command where a range has a whole aligned one: ESP-IDF's esp_flash_erase_region (spi_flash/esp_flash_api.c). */
export const BLOCK_BYTES = 65_536;

/** Most that the chip programs in one go; a write never crosses such a page without the next program command. */
export const PAGE_BYTES = 256;

/** Bytes that ESP-IDF programs at least: the unit by which power cuts are counted inside a write. */
export const WORD_BYTES = 4;

/** One operation as the flash chip sees it; an erase is of a sector, or of a block. */
export interface FlashOperation {
  readonly kind: "erase" | "write";
  readonly offset: number;
  readonly length: number;
  /** What is to be programmed; empty for an erase. */
  readonly bytes: Uint8Array;
}
