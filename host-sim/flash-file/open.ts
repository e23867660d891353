// The flash of a device as a file: all of its bytes from address 0, as `esptool read-flash 0 ALL` gives them. It only reads and
// checks what is needed to look inside.

import { CHIPS, type Chip } from "../hardware/chips.js";
import { Flash, SECTOR_BYTES } from "../hardware/flash/flash.js";
import { IMAGE_HEADER_BYTES, IMAGE_MAGIC } from "../hardware/image/image-verifier.js";
import {
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TYPE_APP,
  type Partition,
  PartitionTableError,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";

export interface FlashFile {
  readonly flash: Flash;
  readonly partitions: readonly Partition[];
  readonly chip: Chip;
}

/** The largest flash that an ESP32 can have. */
const FLASH_BYTES_MAX = 128 * 1024 * 1024;
const FLASH_BYTES_MIN = PARTITION_TABLE_OFFSET + SECTOR_BYTES;
const DEFAULT_CHIP: Chip = "esp32";

/**
 * @param bytes are copied: the file's own stay as they are.
 * @param chip what the device is; by default what its images are for.
 * @throws Error that says what is wrong with the file
 */
export function openFlash(bytes: Uint8Array, chip?: Chip): FlashFile {
  checkSize(bytes.length);
  const flash = new Flash(bytes.length, bytes);
  const partitions = readTable(flash);
  return { flash, partitions, chip: chip ?? chipOfImages(flash, partitions) ?? DEFAULT_CHIP };
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes % SECTOR_BYTES !== 0 || sizeBytes < FLASH_BYTES_MIN || sizeBytes > FLASH_BYTES_MAX) {
    throw new Error(
      `the file has ${sizeBytes} bytes; a whole flash has a multiple of ${SECTOR_BYTES}, ` +
        `from ${FLASH_BYTES_MIN} to ${FLASH_BYTES_MAX}`,
    );
  }
}

function readTable(flash: Flash): Partition[] {
  const table = flash.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES);
  const at = `at 0x${PARTITION_TABLE_OFFSET.toString(16)}`;
  if (table.every((byte) => byte === 0xff))
    throw new Error(`the flash is erased ${at}: it has no partition table`);
  try {
    return parsePartitionTable(table, { flashBytes: flash.sizeBytes });
  } catch (error) {
    if (!(error instanceof PartitionTableError)) throw error;
    throw new Error(`the partition table ${at} is not valid: ${error.message}`);
  }
}

/** The chip id in the header of the first image. */
function chipOfImages(flash: Flash, partitions: readonly Partition[]): Chip | undefined {
  for (const { type, offset } of partitions) {
    if (type !== PARTITION_TYPE_APP) continue;
    const chip = chipOfImage(flash.read(offset, IMAGE_HEADER_BYTES));
    if (chip !== undefined) return chip;
  }
  return undefined;
}

/** What an image was built for, as its header says; undefined: it is no image, or for a chip that is not known. */
export function chipOfImage(image: Uint8Array): Chip | undefined {
  if (image.length < IMAGE_HEADER_BYTES || image[0] !== IMAGE_MAGIC) return undefined;
  const chipId = image[12]! | (image[13]! << 8);
  return (Object.keys(CHIPS) as Chip[]).find((name) => CHIPS[name].chipId === chipId);
}
