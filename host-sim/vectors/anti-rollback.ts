// Golden vectors of anti-rollback: boot loader, esp_ota_* and eFuses together, in scripts like those of ota.ts. To be short, a case
// names its images, and a step leaves out what it did not change.

import { Efuse } from "../hardware/efuse.js";
import { type CaseChecker, compare } from "./comparison.js";
import type { VectorFolder } from "./folder.js";
import { Bench, type Content, type Layout, type OtaStep } from "./ota.js";

interface Step extends Omit<OtaStep, "otadata"> {
  readonly otadata?: OtaStep["otadata"];
}

export interface AntiRollbackCase {
  readonly layout: string;
  /** CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD. */
  readonly efuse_bits: number;
  /** Bits that are burned before. */
  readonly efuse: number;
  /** Names in anti-rollback-images.json. */
  readonly slots: Readonly<Record<string, string | null>>;
  readonly otadata: readonly [string, string];
  readonly steps: readonly Step[];
}

type Images = Readonly<Record<string, Content>>;

export const antiRollbackChecker: CaseChecker<AntiRollbackCase, VectorFolder> = {
  describe: ({ layout, efuse, efuse_bits }) => `${layout}, eFuses ${efuse.toString(2)} of ${efuse_bits} bits`,
  difference: (test, folder) => {
    const layout = folder.object<Record<string, Layout>>("ota-layouts.json")[test.layout];
    if (layout === undefined) throw new Error(`ota-layouts.json has no layout "${test.layout}"`);
    const images = folder.object<Images>("anti-rollback-images.json");
    const efuse = new Efuse("esp32", { bits: test.efuse, fieldBits: test.efuse_bits });
    const slots = mapped(test.slots, (name) => (name === null ? null : images[name]!));
    const script = { layout: test.layout, rollback: true, slots, otadata: test.otadata };
    const bench = new Bench(script, layout, folder, efuse);
    for (const [index, step] of expand(test, images).entries()) {
      const difference = compare(bench.run(step), step, `step ${index} (${step.op})`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
  parts: { unit: "steps", count: ({ steps }) => steps.length },
};

/** The steps with everything that they leave out. */
function expand({ steps, otadata, efuse }: AntiRollbackCase, images: Images): OtaStep[] {
  let last: { otadata: OtaStep["otadata"]; efuse: number } = { otadata, efuse };
  return steps.map((step) => {
    last = { otadata: step.otadata ?? last.otadata, efuse: step.efuse ?? last.efuse };
    const content = step.image === undefined ? {} : images[step.image]!;
    const nothing =
      step.op === "reboot"
        ? { flash_ops: [] }
        : step.op === "state"
          ? { units: 0, value: null }
          : { units: 0 };
    return { ...nothing, ...step, ...content, ...last };
  });
}

const mapped = <From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
