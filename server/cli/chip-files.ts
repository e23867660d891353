// The chip of a virtual device as files: its flash, and beside it its eFuses once a key was burned there. With others, encrypted settings
// cannot be read, as in another chip. Never runs what is in the flash.

import { UsageError } from "./output.js";

/** What a chip keeps without power. */
interface Chip {
  readonly flash: { readonly bytes: Uint8Array };
  readonly efuse: { readonly blocks: Uint8Array };
}

const efuseFileOf = (flashFile: string): string => `${flashFile}.efuse`;

/** @returns what was written besides the flash */
export async function saveChip(path: string, { flash, efuse }: Chip): Promise<string | undefined> {
  await replaceFile(path, flash.bytes);
  if (efuse.blocks.every((byte) => byte === 0)) return undefined;
  await replaceFile(efuseFileOf(path), efuse.blocks);
  return efuseFileOf(path);
}

/** The eFuses that belong to a flash file; nothing if there are none. @throws UsageError if the file is something else */
export async function readEfuses(flashFile: string): Promise<Uint8Array | undefined> {
  const { existsSync } = await import("node:fs");
  const { readFile } = await import("node:fs/promises");
  const { EFUSE_BLOCKS_BYTES } = await import("../../host-sim/hardware/efuse-blocks.js");
  const path = efuseFileOf(flashFile);
  if (!existsSync(path)) return undefined;
  const blocks = new Uint8Array(await readFile(path));
  if (blocks.length !== EFUSE_BLOCKS_BYTES)
    throw new UsageError(
      `${path} has ${blocks.length} bytes; the eFuses of a chip have ${EFUSE_BLOCKS_BYTES}`,
    );
  return blocks;
}

/** Atomically. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const { rename, writeFile } = await import("node:fs/promises");
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}
