// What differs between the chips that can be simulated: ids, revisions and the memory map that decides where an
// image's segments may be loaded. Numbers from ESP-IDF v6.0's soc.h; the boot loader's own memory depends on its build.

/** A chip that the virtual hardware can be. */
export type Chip = "esp32" | "esp32c3" | "esp32s3";

/** Addresses from `low` up to but not including `high`. */
export interface AddressRange {
  readonly low: number;
  readonly high: number;
}

export interface ChipDescription {
  /** chip_id of the image header. */
  readonly chipId: number;
  /** Major * 100 + minor of the simulated silicon. */
  readonly revision: number;
  /** Highest revision that images built here declare. */
  readonly maxRevision: number;
  /** eFuse block revision; undefined where the chip has no such check (ESP32). */
  readonly eFuseBlockRevision: number | undefined;
  /** Where the boot loader itself lies in flash: an image there is not hash-checked. */
  readonly bootLoaderOffset: number;
  /** Partitions must not be larger and segments must be smaller than this. */
  readonly flashAddressLimit: number;
  /** Flash-mapped constants and code: mapped, never loaded. */
  readonly drom: AddressRange;
  readonly irom: AddressRange;
  readonly dram: AddressRange;
  readonly iram: AddressRange;
  /** The RAM that is visible on both buses; inverted: the word order runs the other way. */
  readonly sharedDram: AddressRange;
  readonly sharedIram: AddressRange;
  readonly sharedInverted: boolean;
  /** RTC memories: always loadable. */
  readonly rtc: readonly AddressRange[];
  /** What the running boot loader occupies: stack with headroom, data, code of the loader. */
  readonly loaderStack: AddressRange;
  readonly loaderData: AddressRange;
  readonly loaderText: AddressRange;
}

const FLASH_16_MB = 0x1000000;
/** The ESP32-S3 maps flash by 32-bit addresses. */
const FLASH_4_GB = 0xffffffff;
/** Room below the stack pointer that a loaded segment must leave. */
const STACK_HEADROOM_BYTES = 0x8000;

export const CHIPS: Readonly<Record<Chip, ChipDescription>> = Object.freeze({
  esp32: {
    chipId: 0,
    revision: 300,
    maxRevision: 399,
    eFuseBlockRevision: undefined,
    bootLoaderOffset: 0x1000,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x3f400000, high: 0x3f800000 },
    irom: { low: 0x400d0000, high: 0x40400000 },
    dram: { low: 0x3ffae000, high: 0x40000000 },
    iram: { low: 0x40080000, high: 0x400aa000 },
    sharedDram: { low: 0x3ffe0000, high: 0x40000000 },
    sharedIram: { low: 0x400a0000, high: 0x400c0000 },
    sharedInverted: true,
    rtc: [
      { low: 0x400c0000, high: 0x400c2000 },
      { low: 0x3ff80000, high: 0x3ff82000 },
      { low: 0x50000000, high: 0x50002000 },
    ],
    loaderStack: { low: 0x3ffe3f20 - STACK_HEADROOM_BYTES, high: 0x3ffe3f20 },
    loaderData: { low: 0x3fff0000, high: 0x3fff2400 },
    loaderText: { low: 0x40078000, high: 0x4007bc00 },
  },
  esp32c3: {
    chipId: 5,
    revision: 3,
    maxRevision: 199,
    eFuseBlockRevision: 0,
    bootLoaderOffset: 0,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x3c000000, high: 0x3c800000 },
    irom: { low: 0x42000000, high: 0x42800000 },
    dram: { low: 0x3fc80000, high: 0x3fce0000 },
    iram: { low: 0x4037c000, high: 0x403e0000 },
    sharedDram: { low: 0x3fc80000, high: 0x3fce0000 },
    sharedIram: { low: 0x40380000, high: 0x403e0000 },
    sharedInverted: false,
    rtc: [{ low: 0x50000000, high: 0x50002000 }],
    loaderStack: { low: 0x3fcdc700 - STACK_HEADROOM_BYTES, high: 0x3fcde710 },
    loaderData: { low: 0x3fcd5830, high: 0x3fcd8000 },
    loaderText: { low: 0x403cbf10, high: 0x403d2000 },
  },
  esp32s3: {
    chipId: 9,
    revision: 2,
    maxRevision: 99,
    eFuseBlockRevision: 0,
    bootLoaderOffset: 0,
    flashAddressLimit: FLASH_4_GB,
    drom: { low: 0x3c000000, high: 0x3e000000 },
    irom: { low: 0x42000000, high: 0x44000000 },
    dram: { low: 0x3fc88000, high: 0x3fd00000 },
    iram: { low: 0x40370000, high: 0x403e0000 },
    sharedDram: { low: 0x3fc88000, high: 0x3fcf0000 },
    sharedIram: { low: 0x40378000, high: 0x403e0000 },
    sharedInverted: false,
    rtc: [
      { low: 0x600fe000, high: 0x60100000 },
      { low: 0x50000000, high: 0x50002000 },
    ],
    loaderStack: { low: 0x3fceb500 - STACK_HEADROOM_BYTES, high: 0x3fceb710 },
    loaderData: { low: 0x3fce2700, high: 0x3fce4000 },
    loaderText: { low: 0x403cb700, high: 0x403cf700 },
  },
});
