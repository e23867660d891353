// Golden vectors of the esp_ota_* functions together with the boot loader: scripts of calls, restarts and power cuts.

import { createHash } from "node:crypto";
import { runBootLoader } from "../hardware/boot/boot-loader.js";
import { Ota } from "../hardware/boot/ota.js";
import { type OtaSize, OtaWriters } from "../hardware/boot/ota-write.js";
import type { Efuse } from "../hardware/efuse.js";
import { ChipAborted } from "../hardware/esp-error.js";
import { Flash, PowerCut, SECTOR_BYTES } from "../hardware/flash/flash.js";
import {
  findPartition,
  PARTITION_TYPE_APP,
  type Partition,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";
import { applyPatches, type CaseChecker, compare, hexOf, type Patches } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

export interface Content {
  readonly image: string;
  readonly patches?: Patches;
}

export interface OtaStep {
  readonly op: string;
  readonly otadata: readonly [string, string];
  readonly result?: string;
  readonly booted?: string | null;
  /** What otadata selects, -1 for factory: only in scripts with eFuses. */
  readonly selected?: number;
  readonly flash_ops?: readonly string[];
  readonly cut_before_op?: number;
  readonly rc?: string;
  readonly units?: number;
  readonly value?: string | null;
  readonly slots_changed?: Readonly<Record<string, string>>;
  /** Bits that are burned afterwards. */
  readonly efuse?: number;
  readonly cut?: number;
  readonly partition?: string;
  readonly size?: OtaSize;
  readonly image?: string;
  readonly patches?: Patches;
  readonly from?: number;
  readonly to?: number;
  readonly chunk?: number;
}

export interface OtaScript {
  readonly layout: string;
  readonly rollback: boolean;
  readonly slots: Readonly<Record<string, Content | null>>;
  readonly otadata: readonly [string, string];
  readonly slot_sha256: Readonly<Record<string, string>>;
  readonly steps: readonly OtaStep[];
}

export interface Layout {
  readonly table_base64: string;
  readonly flash_size: number;
}

const OTADATA_OFFSET = 0xd000;

export const otaChecker: CaseChecker<OtaScript, VectorFolder> = {
  describe: ({ layout, rollback }) => `${layout}, ${rollback ? "with" : "without"} rollback`,
  difference: (script, folder) => {
    const layout = folder.object<Record<string, Layout>>("ota-layouts.json")[script.layout];
    if (layout === undefined) throw new Error(`ota-layouts.json has no layout "${script.layout}"`);
    const bench = new Bench(script, layout, folder);
    const start = compare(bench.hashSlots(), script.slot_sha256, "slots at the start");
    if (start !== undefined) return start;
    for (const [index, step] of script.steps.entries()) {
      const difference = compare(bench.run(step), step, `step ${index} (${step.op})`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
  parts: { unit: "steps", count: ({ steps }) => steps.length },
};

class Restarted extends Error {}

/** One device under a script: its flash, and the app that runs between two reboots. */
export class Bench {
  readonly #flash: Flash;
  readonly #partitions: Partition[];
  readonly #rollback: boolean;
  readonly #folder: VectorFolder;
  readonly #efuse: Efuse | undefined;
  #ota: Ota | undefined;
  #writers: OtaWriters | undefined;
  #handle = 0;
  #slotHashes: Record<string, string>;

  /** @param efuse built with anti-rollback, and these eFuses */
  constructor(
    script: Omit<OtaScript, "steps" | "slot_sha256">,
    layout: Layout,
    folder: VectorFolder,
    efuse?: Efuse,
  ) {
    this.#folder = folder;
    this.#efuse = efuse;
    this.#flash = new Flash(layout.flash_size);
    this.#rollback = script.rollback;
    this.#partitions = parsePartitionTable(new Uint8Array(Buffer.from(layout.table_base64, "base64")));
    for (const [label, content] of Object.entries(script.slots)) {
      if (content !== null) this.#flash.bytes.set(this.#contentOf(content), this.#partition(label).offset);
    }
    for (const [index, entry] of script.otadata.entries()) {
      this.#flash.bytes.set(Buffer.from(entry, "hex"), OTADATA_OFFSET + index * SECTOR_BYTES);
    }
    this.#slotHashes = this.hashSlots();
  }

  /** The step with what was found instead of what was measured. */
  run(step: OtaStep): OtaStep {
    const found = step.op === "reboot" ? this.#reboot(step) : this.#call(step);
    return this.#efuse === undefined ? found : { ...found, efuse: this.#efuse.bits };
  }

  hashSlots(): Record<string, string> {
    const apps = this.#partitions.filter((partition) => partition.type === PARTITION_TYPE_APP);
    return Object.fromEntries(
      apps.map(({ label, offset, size }) => {
        const bytes = this.#flash.bytes.subarray(offset, offset + size);
        return [label, createHash("sha256").update(bytes).digest("hex")];
      }),
    );
  }

  #reboot(step: OtaStep): OtaStep {
    this.#flash.powerRestored();
    const operations: string[] = [];
    this.#flash.onOperation = ({ kind, offset, length }, when) => {
      if (when === "after") return;
      operations.push(`${kind}@0x${offset.toString(16)}+${length}`);
      if (operations.length - 1 === step.cut_before_op) throw new PowerCut();
    };
    const { result, booted, selected } = this.#boot();
    this.#flash.onOperation = undefined;
    this.#handle = 0;
    const { selected: _, ...input } = step;
    return {
      ...input,
      ...(this.#efuse === undefined || selected === undefined ? {} : { selected }),
      result,
      booted: booted?.label ?? null,
      flash_ops: operations,
      otadata: this.#otadata(),
    };
  }

  #boot(): { result: string; booted?: Partition | undefined; selected?: number | undefined } {
    let selected: number | undefined;
    const onSelected = (index: number): void => {
      selected = index;
    };
    const options = { rollback: this.#rollback, chip: "esp32", antiRollback: this.#efuse } as const;
    try {
      const { booted } = runBootLoader(this.#flash, this.#partitions, { ...options, onSelected });
      if (booted === undefined) return { result: "no-bootable", selected };
      const restart = () => {
        throw new Restarted();
      };
      this.#ota = new Ota(this.#flash, this.#partitions, booted, { ...options, restart });
      this.#writers = new OtaWriters(this.#flash, this.#ota);
      return { result: "boot", booted, selected };
    } catch (error) {
      if (error instanceof PowerCut) return { result: "powercut", selected };
      throw error;
    }
  }

  #call(step: OtaStep): OtaStep {
    const before = this.#flash.unitCount;
    this.#flash.cutAfterUnits(step.cut);
    const outcome = this.#outcome(step);
    this.#flash.cutAfterUnits(undefined);
    const { slots_changed: _, ...input } = step;
    const changed = this.#changedSlots();
    return {
      ...input,
      ...outcome,
      units: this.#flash.unitCount - before,
      otadata: this.#otadata(),
      ...(Object.keys(changed).length === 0 ? {} : { slots_changed: changed }),
    };
  }

  #outcome(step: OtaStep): { rc: string; value?: string | null } {
    try {
      return this.#perform(this.#ota!, this.#writers!, step);
    } catch (error) {
      if (error instanceof PowerCut) return { rc: "POWER_CUT" };
      if (error instanceof Restarted) return { rc: "RESTART" };
      if (error instanceof ChipAborted) return { rc: "ABORT" };
      throw error;
    }
  }

  #perform(ota: Ota, writers: OtaWriters, step: OtaStep): { rc: string; value?: string | null } {
    const partition = step.partition === undefined ? undefined : this.#partition(step.partition);
    const label = (found: Partition | undefined) => ({ rc: "ESP_OK", value: found?.label ?? "NULL" });
    switch (step.op) {
      case "begin": {
        const { error, handle } = writers.begin(partition, step.size!);
        if (error === "ESP_OK") this.#handle = handle;
        return { rc: error };
      }
      case "write":
        return { rc: this.#write(writers, step) };
      case "end":
        return { rc: writers.end(this.#handle) };
      case "abort":
        return { rc: writers.abort(this.#handle) };
      case "set_boot":
        return { rc: ota.setBoot(partition) };
      case "mark_valid":
        return { rc: ota.markValid() };
      case "mark_invalid":
        return { rc: ota.markInvalid() };
      case "mark_invalid_reboot":
        return { rc: ota.markInvalidAndReboot() };
      case "erase_last":
        return { rc: ota.eraseLastBootApp() };
      case "next":
        return label(ota.nextUpdatePartition());
      case "boot_partition":
        return label(ota.bootPartition());
      case "last_invalid":
        return label(ota.lastInvalid());
      case "rollback_possible":
        return { rc: "ESP_OK", value: String(ota.rollbackPossible()) };
      case "state": {
        const { error, state } = ota.stateOf(partition);
        return { rc: error, value: state === undefined ? null : String(state) };
      }
      default:
        throw new Error(`unknown step "${step.op}"`);
    }
  }

  #write(writers: OtaWriters, step: OtaStep): string {
    const bytes = this.#contentOf({
      image: step.image!,
      ...(step.patches === undefined ? {} : { patches: step.patches }),
    });
    for (let at = step.from!; at < step.to!; at += step.chunk!) {
      const error = writers.write(this.#handle, bytes.subarray(at, Math.min(at + step.chunk!, step.to!)));
      if (error !== "ESP_OK") return error;
    }
    return "ESP_OK";
  }

  #otadata(): [string, string] {
    return [
      hexOf(this.#flash.read(OTADATA_OFFSET, 32)),
      hexOf(this.#flash.read(OTADATA_OFFSET + SECTOR_BYTES, 32)),
    ];
  }

  #changedSlots(): Record<string, string> {
    const hashes = this.hashSlots();
    const changed = Object.entries(hashes).filter(([label, hash]) => hash !== this.#slotHashes[label]);
    this.#slotHashes = hashes;
    return Object.fromEntries(changed);
  }

  #contentOf({ image, patches }: Content): Uint8Array {
    return applyPatches(this.#folder.bytes(image), patches);
  }

  #partition(label: string): Partition {
    const found = findPartition(this.#partitions, { label });
    if (found === undefined) throw new Error(`no partition "${label}"`);
    return found;
  }
}
