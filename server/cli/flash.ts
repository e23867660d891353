// `skyslot flash`: what the boot loader does with a flash file. No code of the file is run.

import { type Command, Option } from "commander";
import type { OtadataReport } from "../../host-sim/flash-file/boot-report.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import { CHIP_NAMES } from "./image.js";
import { bold, printLine, printTable, show } from "./output.js";

interface BootFlags {
  readonly chip?: Chip;
  readonly rollback: boolean;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function flashCommand(program: Command): void {
  const flash = program.command("flash").description("inspect files that contain a device's flash");
  flash
    .command("boot <file>")
    .description("run the boot loader on it: show which slot boots, why, and otadata afterwards")
    .addOption(chipOption())
    .option("--no-rollback", "a boot loader built without rollback")
    .option("--write", "write what the boot loader changed in otadata back to the file")
    .option("--json", "print one JSON object")
    .action(boot);
}

/** The chip; by default that of the images. */
export const chipOption = (): Option =>
  new Option("--chip <chip>", "the device's chip (default: that of the first image in the flash)").choices(
    CHIP_NAMES,
  );

async function boot(path: string, flags: BootFlags): Promise<void> {
  const { readFile, writeFile } = await import("node:fs/promises");
  const { openFlash } = await import("../../host-sim/flash-file/open.js");
  const { bootFlash } = await import("../../host-sim/flash-file/boot-report.js");
  const file = openFlash(await readFile(path), flags.chip);
  const { slot, otadata, reason, wrote } = bootFlash(file, { rollback: flags.rollback });
  if (wrote && flags.write) await writeFile(path, file.flash.bytes);
  await show(flags, { slot, otadata, reason, written: wrote && (flags.write ?? false) }, () => {
    printLine(`${bold(slot ?? "nothing")} boots: ${reason}`);
    printOtadata(otadata);
    if (wrote) printLine(flags.write ? `otadata was written to ${path}` : "nothing was written: use --write");
  });
}

export function printOtadata(otadata: readonly OtadataReport[]): void {
  if (otadata.length === 0) return;
  printTable(
    ["OTADATA", "SEQUENCE", "SLOT", "STATE", "CRC"],
    otadata.map(({ sequence, slot, state, crc }, index) =>
      sequence === null
        ? [`${index}`, "erased", "", state === "UNDEFINED" ? "" : state, ""]
        : [`${index}`, `${sequence}`, slot ?? "", state, crc],
    ),
  );
}
