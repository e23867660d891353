// esp_app_desc_t, the 256 bytes at the start of an image's first segment that say which firmware it is. It checks its
// magic number and nothing else.
//
//   +0 magic ABCD5432 | +4 secure version | +16 version[32] | +48 project[32] | +80 time[16] | +96 date[16]
//   +112 ESP-IDF version[32] | +144 SHA-256 of the ELF file | +176 u16 min, +178 u16 max eFuse block revision
//   +180 log2 of the MMU page size

export const APP_DESCRIPTION_BYTES = 256;
/** Position of the description in an image: behind the header and the first segment's header. */
export const APP_DESCRIPTION_OFFSET = 32;

export const APP_DESCRIPTION_MAGIC = 0xabcd5432;

export interface AppDescription {
  readonly secureVersion: number;
  readonly version: string;
  readonly project: string;
  readonly time: string;
  readonly date: string;
  readonly idfVersion: string;
  /** 32 bytes. */
  readonly elfSha256: Uint8Array;
}

/** What is written besides; the limits of the eFuse block revision are 0 = not given. */
export interface AppDescriptionFields extends AppDescription {
  readonly minBlockRevision?: number;
  readonly maxBlockRevision?: number;
}

/** Reads the description of a whole image; undefined when there is none. */
export function readAppDescription(image: Uint8Array): AppDescription | undefined {
  const end = APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES;
  return image.length < end ? undefined : decodeAppDescription(image.subarray(APP_DESCRIPTION_OFFSET, end));
}

/** Reads 256 bytes; undefined when the magic number is not there. */
export function decodeAppDescription(bytes: Uint8Array): AppDescription | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, APP_DESCRIPTION_BYTES);
  if (view.getUint32(0, true) !== APP_DESCRIPTION_MAGIC) return undefined;
  return {
    secureVersion: view.getUint32(4, true),
    version: readText(bytes, 16, 32),
    project: readText(bytes, 48, 32),
    time: readText(bytes, 80, 16),
    date: readText(bytes, 96, 16),
    idfVersion: readText(bytes, 112, 32),
    elfSha256: bytes.slice(144, 176),
  };
}

/** The 256 bytes. @throws RangeError when a text does not leave room for its final NUL. */
export function encodeAppDescription(fields: AppDescriptionFields): Uint8Array {
  const bytes = new Uint8Array(APP_DESCRIPTION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, APP_DESCRIPTION_MAGIC, true);
  view.setUint32(4, fields.secureVersion, true);
  writeText(bytes, 16, 32, fields.version, "version");
  writeText(bytes, 48, 32, fields.project, "project");
  writeText(bytes, 80, 16, fields.time, "time");
  writeText(bytes, 96, 16, fields.date, "date");
  writeText(bytes, 112, 32, fields.idfVersion, "ESP-IDF version");
  if (fields.elfSha256.length !== 32)
    throw new RangeError(`ELF hash is ${fields.elfSha256.length} bytes, not 32`);
  bytes.set(fields.elfSha256, 144);
  view.setUint16(176, fields.minBlockRevision ?? 0, true);
  view.setUint16(178, fields.maxBlockRevision ?? 0xffff, true);
  view.setUint8(180, 16);
  return bytes;
}

function readText(bytes: Uint8Array, offset: number, capacity: number): string {
  const field = bytes.subarray(offset, offset + capacity);
  const end = field.indexOf(0);
  return new TextDecoder().decode(field.subarray(0, end === -1 ? capacity : end));
}

function writeText(bytes: Uint8Array, offset: number, capacity: number, text: string, what: string): void {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length >= capacity) {
    throw new RangeError(`${what} "${text}" is ${encoded.length} bytes, at most ${capacity - 1} fit`);
  }
  bytes.set(encoded, offset);
}
