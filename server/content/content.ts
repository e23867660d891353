// What the panels of devices show: the contract of a source of pictures, and two simple sources. A source is independent of
// HTTP, and a picture is always a binary PBM of the panel's size.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CardLine, drawCard } from "../../firmware/apps/cms/core/panel-card.js";
import { pbmHeader, pbmRowBytes, pbmRowsBytes, readPbmHeader } from "../../firmware/apps/cms/core/pbm.js";

/** Who asks. The type is known of devices that have made a check. */
export interface ContentDevice {
  readonly id: string;
  readonly type?: string | undefined;
}

export interface Content {
  /** Binary PBM ("P4"). */
  readonly pbm: Uint8Array;
  /** Strong, with its quotes; another one whenever the picture is. */
  readonly etag: string;
}

export interface ContentSource {
  /** What is assigned to this device now. */
  find(device: ContentDevice): Promise<Content | undefined>;
}

/** A panel of 4096 × 4096 pixels, and the header. */
export const MAX_PICTURE_BYTES = 2 * 1024 * 1024 + 256;
const DEFAULT_NAME = "default";
/** A device id is more than a file name may be on some systems, but nothing that leads out of the folder. */
const FILE_NAME = /^(?!\.)[A-Za-z0-9._:-]{1,64}$/;

/** A picture with the ETag that follows from its bytes. */
export function contentOf(pbm: Uint8Array): Content {
  return { pbm, etag: `"${createHash("sha256").update(pbm).digest("hex").slice(0, 32)}"` };
}

/** The first source that has something. */
export function firstOf(...sources: readonly ContentSource[]): ContentSource {
  return {
    async find(device) {
      for (const source of sources) {
        const content = await source.find(device);
        if (content) return content;
      }
      return undefined;
    },
  };
}

/**
 * Pictures in a folder, read whenever they are asked for: `<device id>.pbm`, else `<type>.pbm`, else `default.pbm`.
 * @param isType whether a name is that of a device type: then the file is the type's, and not that of a device that calls itself so, which
 * may have no access to the type
 */
export function folderContent(folder: string, isType: (name: string) => Promise<boolean>): ContentSource {
  return {
    async find({ id, type }) {
      for (const name of [id, type, DEFAULT_NAME]) {
        const pbm = name === undefined ? undefined : await readPicture(folder, name);
        if (pbm && (name !== id || id === type || !(await isType(id)))) return contentOf(pbm);
      }
      return undefined;
    },
  };
}

async function readPicture(folder: string, name: string): Promise<Uint8Array | undefined> {
  if (!FILE_NAME.test(name)) return undefined;
  const file = join(folder, `${name}.pbm`);
  let pbm: Uint8Array;
  try {
    pbm = await readFile(file);
    // Some file systems find a file by other capitals, too: that is another name.
    if (!(await readdir(folder)).includes(`${name}.pbm`)) return undefined;
  } catch (error) {
    if (["ENOENT", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  checkPicture(pbm, file);
  return pbm;
}

/** @throws Error that says what is wrong with it */
export function checkPicture(pbm: Uint8Array, name: string): void {
  if (pbm.length > MAX_PICTURE_BYTES)
    throw new Error(`${name} has ${pbm.length} bytes, a picture at most ${MAX_PICTURE_BYTES}`);
  const header = readPbmHeader(pbm);
  if (!header) throw new Error(`${name} is no binary PBM (P4)`);
  const rowsBytes = pbmRowsBytes(header.width, header.height);
  if (pbm.length - header.offset !== rowsBytes) {
    const has = pbm.length - header.offset;
    throw new Error(
      `${name}: rows of ${header.width} × ${header.height} are ${rowsBytes} bytes, it has ${has}`,
    );
  }
}

/** A card with the device's name, a frame and a checkerboard: whether a panel shows every pixel, and at the right place. */
export function testCard(width: number, height: number): ContentSource {
  return {
    async find({ id }) {
      const lines: readonly CardLine[] = [
        { text: "Test card", scale: 2 },
        { text: id, scale: 2 },
        { text: `${width} x ${height}`, scale: 1 },
      ];
      const rows = drawCard(lines, width, height);
      addPattern(rows, width, height);
      return contentOf(Buffer.concat([Buffer.from(pbmHeader(width, height)), rows]));
    },
  };
}

/** A frame at the very edge; squares of 1 to 8 pixels in the lower half. */
function addPattern(rows: Uint8Array, width: number, height: number): void {
  const isBlack = (x: number, y: number): boolean => {
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return true;
    if (y < height / 2 || x < 8 || x >= width - 8 || y >= height - 8) return false;
    const size = 2 ** Math.floor((4 * x) / width);
    return (Math.floor(x / size) + Math.floor(y / size)) % 2 === 0;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isBlack(x, y)) rows[y * pbmRowBytes(width) + (x >> 3)]! |= 0x80 >> (x & 7);
    }
  }
}
