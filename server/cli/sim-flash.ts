// `skyslot sim image`, `export` and `inspect`: the flash of a virtual device as a file. `image` writes the flash of a new device, `export`
// that of one that has run for a while, `inspect` shows the content of a file.

import type { Command } from "commander";
import type { VirtualDevice } from "../../host-sim/device/device.js";
import type { AppReport, FlashReport } from "../../host-sim/flash-file/flash-report.js";
import type { NvsReport } from "../../host-sim/flash-file/nvs-report.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import type { Flash } from "../../host-sim/hardware/flash/flash.js";
import type { NvsKeys } from "../../host-sim/hardware/nvs/nvs-partition.js";
import { defined } from "../shared/defined.js";
import { readAuthorities } from "./authority-files.js";
import { readEfuses, saveChip } from "./chip-files.js";
import { chipOption, printOtadata } from "./flash.js";
import { DESK_SERVER_NAME } from "./image.js";
import { bold, printLine, printRows, show, sizeText, UsageError, wholeNumber } from "./output.js";
import { flashBytes, printPartitions } from "./partitions.js";

/** The firmware of a new device. */
export interface FirmwareFlags {
  readonly image?: string;
  readonly app?: string;
  readonly appVersion?: string;
  readonly key?: readonly string[];
}

/** What is built into it besides. */
export interface ServerFlags {
  /** As the firmware calls it. */
  readonly serverUrl?: string;
  readonly authority?: readonly string[];
}

interface ImageFlags extends FirmwareFlags {
  readonly out: string;
  readonly chip?: Chip;
  readonly flashSize?: number;
  readonly partitions?: string;
  readonly json?: boolean;
}

interface ExportFlags extends FirmwareFlags {
  readonly out: string;
  readonly flash?: string;
  readonly seconds: number;
  readonly manual?: boolean;
  readonly json?: boolean;
}

interface InspectFlags {
  readonly chip?: Chip;
  readonly showSecrets?: boolean;
  readonly nvsKeys?: string;
  readonly efuse?: string;
  readonly json?: boolean;
}

const DEFAULT_FLASH_BYTES = flashBytes("8MB");
const PARTITIONS = new URL("../../partitions/8mb.csv", import.meta.url);

export const withFirmware = (command: Command): Command =>
  command
    .option("--image <file>", `image to flash; built with --server ${DESK_SERVER_NAME}`)
    .option("--app <name>", "without --image: the app to build (default: base)")
    .option("--app-version <version>", "without --image: its version (default: 1.0.0)")
    .option("--key <file...>", "without --image: public keys that it trusts, such as release.pub.jwk");

export function addFlashCommands(sim: Command): void {
  withFirmware(sim.command("image").description("write the flash of a new device"))
    .requiredOption("-o, --out <file>", "flash file")
    .addOption(chipOption())
    .option("--flash-size <size>", "flash size, such as 4MB (default: 8MB)", flashBytes)
    .option("--partitions <csv>", "partition table (default: partitions/8mb.csv)")
    .option("--json", "print one JSON object")
    .action(writeImage);
  withFirmware(sim.command("export").description("run a device for a while, and write its flash"))
    .requiredOption("-o, --out <file>", "flash file")
    .option("--flash <file>", "flash file to start with, instead of a new flash")
    .option("--seconds <n>", "how long it runs, in virtual time; there is no update server", wholeNumber, 60)
    .option("--manual", "do not set it up")
    .option("--json", "print one JSON object")
    .action(exportFlash);
  sim
    .command("inspect <file>")
    .description("show the contents of a flash file: partitions, otadata, boot slot, apps and settings")
    .addOption(chipOption())
    .option("--nvs-keys <file>", "NVS keys: an image of the partition nvs_keys")
    .option(
      "--efuse <file>",
      "NVS keys: the chip's eFuses, from QEMU, espefuse or sim, or an HMAC key (default: FILE.efuse)",
    )
    .option("--show-secrets", "do not mask passwords, tokens and keys")
    .option("--json", "print one JSON object")
    .action(inspect);
}

async function writeImage(flags: ImageFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const { VirtualDevice } = await import("../../host-sim/device/device.js");
  const { World } = await import("../../host-sim/world/world.js");
  const device = new VirtualDevice({
    world: new World({ seed: 1 }),
    name: "device",
    flashBytes: flags.flashSize ?? DEFAULT_FLASH_BYTES,
  });
  const csv = await readFile(flags.partitions ?? PARTITIONS, "utf8");
  device.flashFactory(csv, await firmwareOf(flags, flags.chip));
  await writeFlash(flags.out, device, flags.json);
}

async function exportFlash(flags: ExportFlags): Promise<void> {
  const { Desk } = await import("../../host-sim/desk/desk.js");
  const { chipOfImage } = await import("../../host-sim/flash-file/open.js");
  const noServer = async () => ({ status: 503 });
  const found = await startingFlash(flags, true);
  const desk = new Desk({
    ...found,
    ...("image" in found ? defined({ chip: chipOfImage(found.image) }) : {}),
    server: { handler: noServer },
    manual: flags.manual ?? false,
  });
  desk.device.powerOn();
  await desk.world.runUntil(() => false, { limitMs: flags.seconds * 1000 });
  desk.device.powerOff();
  await writeFlash(flags.out, desk.device, flags.json);
}

async function writeFlash(path: string, device: VirtualDevice, json = false): Promise<void> {
  const efuses = await saveChip(path, device);
  const file = { file: path, bytes: device.flash.sizeBytes, ...defined({ efuses }) };
  await show(
    { json },
    file,
    ({ file, bytes }) => `${file}, ${sizeText(bytes)}${efuses === undefined ? "" : `; ${efuses}`}`,
  );
}

/** The chip of a file, or firmware for an erased one. @param mustExist the file must exist */
export async function startingFlash(
  flags: FirmwareFlags & ServerFlags & { readonly flash?: string; readonly chip?: Chip },
  mustExist = false,
): Promise<
  { readonly efuseBlocks?: Uint8Array } & (
    | { readonly image: Uint8Array }
    | { readonly flash: Flash; readonly chip: Chip }
  )
> {
  const { existsSync } = await import("node:fs");
  const { readFile } = await import("node:fs/promises");
  if (flags.flash === undefined) return { image: await firmwareOf(flags, flags.chip) };
  const efuses = defined({ efuseBlocks: await readEfuses(flags.flash) });
  if (!mustExist && !existsSync(flags.flash))
    return { image: await firmwareOf(flags, flags.chip), ...efuses };
  if (flags.image !== undefined || flags.app !== undefined) {
    throw new UsageError(
      `${flags.flash} already contains firmware: omit --image and --app, or use another file`,
    );
  }
  const { openFlash } = await import("../../host-sim/flash-file/open.js");
  const { flash, chip } = openFlash(await readFile(flags.flash));
  return { flash, chip, ...efuses };
}

async function firmwareOf(flags: FirmwareFlags & ServerFlags, chip?: Chip): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  const { buildImage, readTrustedKey } = await import("../../host-sim/image-build/image.js");
  const { authority, serverUrl = DESK_SERVER_NAME } = flags;
  if (flags.image !== undefined) {
    if (authority) throw new UsageError(BUILT_IN);
    return readFile(flags.image);
  }
  const { compileTime } = await import("../../host-sim/image-build/compile-time.js");
  return buildImage({
    app: flags.app ?? "base",
    version: flags.appVersion ?? "1.0.0",
    ...compileTime(),
    ...defined({ chip }),
    config: {
      server: serverUrl,
      keys: await Promise.all((flags.key ?? []).map(readTrustedKey)),
      ...(authority ? { authorities: await readAuthorities(authority) } : {}),
    },
  });
}

const BUILT_IN =
  "--authority goes into firmware that is built here: for --image, give it to `skyslot image build`";

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const { reportFlash } = await import("../../host-sim/flash-file/flash-report.js");
  const report = reportFlash(await readFile(path), {
    chip: flags.chip,
    showSecrets: flags.showSecrets ?? false,
    nvsKeys: await keysIn(path, flags),
  });
  await show(flags, report, printReport);
}

/** Those that are named, or else the eFuses beside the flash. */
async function keysIn(path: string, { nvsKeys, efuse }: InspectFlags): Promise<NvsKeys[]> {
  const { readFile } = await import("node:fs/promises");
  const { keysOfEfuses, keysOfPartition } = await import("../../host-sim/flash-file/nvs-key-files.js");
  if (nvsKeys === undefined && efuse === undefined) {
    const own = await readEfuses(path);
    return own ? keysOfEfuses(own) : [];
  }
  return [
    ...(nvsKeys === undefined ? [] : [keysOfPartition(await readFile(nvsKeys))]),
    ...(efuse === undefined ? [] : keysOfEfuses(await readFile(efuse))),
  ];
}

function printReport({ bytes, chip, partitions, otadata, boot, apps, nvs }: FlashReport): void {
  printLine(`flash of ${sizeText(bytes)}, ${chip}`);
  printLine();
  printPartitions(partitions);
  printLine();
  printOtadata(otadata);
  printLine(`${bold(boot.slot ?? "nothing")} would boot: ${boot.reason}`);
  printLine();
  printApps(apps);
  for (const report of nvs) printNvs(report);
}

function printApps(apps: readonly AppReport[]): void {
  const ifSound = (field: keyof AppReport) => (app: AppReport) => (app.problem === null ? app[field] : "");
  printRows(apps, {
    APP: "partition",
    PROJECT: ifSound("project"),
    VERSION: ifSound("version"),
    SECURITY: ifSound("secureVersion"),
    SETTINGS: ifSound("nvs"),
    BYTES: ifSound("size"),
    BUILT: ifSound("built"),
    "SHA-256 OR PROBLEM": ({ sha256, problem }) => problem ?? sha256?.slice(0, 16),
  });
}

function printNvs({ partition, encrypted, mount, stats, entries }: NvsReport): void {
  const use = stats === null ? mount : `${stats.used} of ${stats.total} entries used`;
  printLine();
  printLine(`${bold(partition)}: NVS${encrypted ? ", encrypted" : ""}, ${use}`);
  if (entries.length === 0) return;
  printRows(entries, {
    NAMESPACE: "namespace",
    KEY: "key",
    TYPE: "type",
    VALUE: ({ value, error }) => value ?? `(${error})`,
  });
}
