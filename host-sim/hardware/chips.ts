// What differs between the chips that images are for: ids, revisions and the memory map that decides where an image's segments
// may be loaded. Numbers from ESP-IDF v6.0's soc.h. The boot loader's own memory depends on its build: measured for ESP32, C3 and
// S3; for the others the whole regions of its linker script, which refuse slightly more than a chip would.

/** A chip that images can be built for. */
export type Chip =
  | "esp32"
  | "esp32s2"
  | "esp32c2"
  | "esp32c3"
  | "esp32c6"
  | "esp32h2"
  | "esp32p4"
  | "esp32s3";

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
  /** Whether it has an HMAC peripheral (SOC_HMAC_SUPPORTED), which encrypts settings with a key from its eFuses. */
  readonly hasHmac: boolean;
  /** Flash frequency of the image header, as esptool writes it by default: 80 MHz, or the highest below. */
  readonly flashFrequency: number;
  /** Position of the boot loader itself in flash: an image there is not hash-checked. */
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
/** Stack that the boot loader itself uses, at most, where it was not measured. */
const STACK_BYTES = 0x2010;
const FREQUENCY_HIGH = 0xf;
/** The ROM of the ESP32-C6 divides the clock wrongly: esptool writes this for 80 MHz. */
const FREQUENCY_C6 = 0;

export const CHIPS: Readonly<Record<Chip, ChipDescription>> = Object.freeze({
  esp32: {
    chipId: 0,
    revision: 300,
    maxRevision: 399,
    eFuseBlockRevision: undefined,
    hasHmac: false,
    flashFrequency: FREQUENCY_HIGH,
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
    hasHmac: true,
    flashFrequency: FREQUENCY_HIGH,
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
  esp32s2: {
    chipId: 2,
    revision: 100,
    maxRevision: 199,
    eFuseBlockRevision: 0,
    hasHmac: true,
    flashFrequency: FREQUENCY_HIGH,
    bootLoaderOffset: 0x1000,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x3f000000, high: 0x3ff80000 },
    irom: { low: 0x40080000, high: 0x40800000 },
    dram: { low: 0x3ffb0000, high: 0x40000000 },
    iram: { low: 0x40020000, high: 0x40070000 },
    sharedDram: { low: 0x3ffb0000, high: 0x40000000 },
    sharedIram: { low: 0x40020000, high: 0x40070000 },
    sharedInverted: false,
    rtc: [
      { low: 0x40070000, high: 0x40072000 },
      { low: 0x3ff9e000, high: 0x3ffa0000 },
      { low: 0x50000000, high: 0x50002000 },
    ],
    loaderStack: { low: 0x3fffe70c - STACK_BYTES - STACK_HEADROOM_BYTES, high: 0x3fffe70c },
    loaderData: { low: 0x3ffe5000, high: 0x3ffeab00 },
    loaderText: { low: 0x4004e000, high: 0x40055000 },
  },
  esp32c2: {
    chipId: 12,
    revision: 200,
    maxRevision: 299,
    eFuseBlockRevision: 0,
    hasHmac: false,
    flashFrequency: FREQUENCY_HIGH,
    bootLoaderOffset: 0,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x3c000000, high: 0x3c400000 },
    irom: { low: 0x42000000, high: 0x42400000 },
    dram: { low: 0x3fca0000, high: 0x3fce0000 },
    iram: { low: 0x4037c000, high: 0x403c0000 },
    sharedDram: { low: 0x3fca0000, high: 0x3fce0000 },
    sharedIram: { low: 0x40380000, high: 0x403c0000 },
    sharedInverted: false,
    rtc: [],
    loaderStack: { low: 0x3fcdeb70 - STACK_BYTES - STACK_HEADROOM_BYTES, high: 0x3fcdeb70 },
    loaderData: { low: 0x3fcd5b70, high: 0x3fcdab70 },
    loaderText: { low: 0x403aeb70, high: 0x403b5b70 },
  },
  esp32c6: {
    chipId: 13,
    revision: 2,
    maxRevision: 99,
    eFuseBlockRevision: 0,
    hasHmac: true,
    flashFrequency: FREQUENCY_C6,
    bootLoaderOffset: 0,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x42000000, high: 0x43000000 },
    irom: { low: 0x42000000, high: 0x43000000 },
    dram: { low: 0x40800000, high: 0x40880000 },
    iram: { low: 0x40800000, high: 0x40880000 },
    sharedDram: { low: 0x40800000, high: 0x40880000 },
    sharedIram: { low: 0x40800000, high: 0x40880000 },
    sharedInverted: false,
    rtc: [{ low: 0x50000000, high: 0x50004000 }],
    loaderStack: { low: 0x4087e610 - STACK_BYTES - STACK_HEADROOM_BYTES, high: 0x4087e610 },
    loaderData: { low: 0x40875610, high: 0x4087a610 },
    loaderText: { low: 0x4086e610, high: 0x40875610 },
  },
  esp32h2: {
    chipId: 16,
    revision: 2,
    maxRevision: 199,
    eFuseBlockRevision: 0,
    hasHmac: true,
    flashFrequency: FREQUENCY_HIGH,
    bootLoaderOffset: 0,
    flashAddressLimit: FLASH_16_MB,
    drom: { low: 0x42000000, high: 0x43000000 },
    irom: { low: 0x42000000, high: 0x43000000 },
    dram: { low: 0x40800000, high: 0x40850000 },
    iram: { low: 0x40800000, high: 0x40850000 },
    sharedDram: { low: 0x40800000, high: 0x40850000 },
    sharedIram: { low: 0x40800000, high: 0x40850000 },
    sharedInverted: false,
    rtc: [{ low: 0x50000000, high: 0x50001000 }],
    loaderStack: { low: 0x4084f380 - STACK_BYTES - STACK_HEADROOM_BYTES, high: 0x4084f380 },
    loaderData: { low: 0x40845fd0, high: 0x4084afd0 },
    loaderText: { low: 0x4083efd0, high: 0x40845fd0 },
  },
  esp32p4: {
    chipId: 18,
    revision: 301,
    maxRevision: 399,
    eFuseBlockRevision: 0,
    hasHmac: true,
    flashFrequency: FREQUENCY_HIGH,
    bootLoaderOffset: 0x2000,
    flashAddressLimit: FLASH_4_GB,
    drom: { low: 0x40000000, high: 0x44000000 },
    irom: { low: 0x40000000, high: 0x44000000 },
    dram: { low: 0x4ff00000, high: 0x4ffc0000 },
    iram: { low: 0x4ff00000, high: 0x4ffc0000 },
    sharedDram: { low: 0x4ff00000, high: 0x4ffc0000 },
    sharedIram: { low: 0x4ff00000, high: 0x4ffc0000 },
    sharedInverted: false,
    rtc: [
      { low: 0x50108000, high: 0x50110000 },
      { low: 0x30100000, high: 0x30102000 },
    ],
    loaderStack: { low: 0x4ffbcfc0 - STACK_BYTES - STACK_HEADROOM_BYTES, high: 0x4ffbcfc0 },
    loaderData: { low: 0x4ffb5fc0, high: 0x4ffbafc0 },
    loaderText: { low: 0x4ffadfc0, high: 0x4ffb5fc0 },
  },
  esp32s3: {
    chipId: 9,
    revision: 2,
    maxRevision: 99,
    eFuseBlockRevision: 0,
    hasHmac: true,
    flashFrequency: FREQUENCY_HIGH,
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

/** Clock of the processor, MHz, as builds for it set it (CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ). */
export const CPU_MHZ: Readonly<Record<Chip, number>> = Object.freeze({
  esp32: 240,
  esp32s2: 240,
  esp32s3: 240,
  esp32c2: 120,
  esp32c3: 160,
  esp32c6: 160,
  esp32h2: 96,
  esp32p4: 360,
});
