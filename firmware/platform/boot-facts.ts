// The facts of a boot: read from the running slot, the eFuses and NVS, not from anything compiled in.

import flash from "embedded:storage/flash";
import config from "mc/config";
import { explainEsp } from "../core/esp-error.js";
import type { Booted, BuildSettings, Problem, RunningImage, TargetSlot } from "../core/event.js";
import { deviceIdOf, formatMac, idProblems, ownDeviceId, RESET_REASONS } from "../core/identity.js";
import { checkBuild } from "../core/settings/build-settings.js";
import { nvsKindOf } from "../core/update/nvs-kind.js";
import { parseVersion, versionName } from "../core/update/version.js";
import { setupPage } from "../portal/setup-page.js";
import { statusPage } from "../portal/status-page.js";
import { IS_ANNOUNCED } from "./discovery.js";
import { readImageInFlash } from "./image-in-flash.js";
import { bootLabel, isTorn, type Native, nextLabel, runningLabel, slotStateOf } from "./native.js";
import type { Found } from "./storage.js";
import { LINK } from "./wifi.js";

export function readBootFacts(
  native: Native,
  restartNote: string | undefined,
  { stored, problems: ofStored }: Found,
): Booted {
  const mac = new ArrayBuffer(6);
  native.esp_efuse_mac_get_default(mac);
  const macBytes = new Uint8Array(mac);
  const { chip, image } = readRunningImage(native);
  const { build, problems: ofBuild } = checkBuild(builtIn());
  return {
    type: "booted",
    identity: {
      deviceId: ownDeviceId(stored) ?? deviceIdOf(config.type, macBytes),
      type: config.type,
      hardware: config.hardware,
      chip,
      mac: formatMac(macBytes),
    },
    image,
    target: readTarget(native),
    resetReason: RESET_REASONS[native.esp_reset_reason()] ?? "unknown",
    ...(restartNote === undefined ? {} : { restartNote }),
    ...(native.skyslot_confirms_by_app() === 1 ? {} : { confirmsItself: true as const }),
    cpuMhz: native.skyslot_cpu_mhz(),
    link: LINK,
    isAnnounced: IS_ANNOUNCED,
    bootSlot: bootLabel(native),
    stored,
    setupPage,
    statusPage,
    build,
    problems: [...ofBuild, ...erasedSettings(native), ...ofStored, ...idProblems(stored)],
  };
}

/** Settings that could not be opened were erased at this start (native/skyslot-nvs.c): told until the next one. */
function erasedSettings(native: Native): readonly Problem[] {
  const error = native.skyslot_nvs_erased();
  if (error === 0) return [];
  const message = `The settings could not be opened, and were erased: ${explainEsp(error)}.`;
  return [{ code: "STORE_ERASED", message }];
}

const builtIn = (): BuildSettings => ({
  server: config.server,
  checkSeconds: config.checkSeconds,
  trialSeconds: config.trialSeconds,
  trialDeadlineSeconds: config.trialDeadlineSeconds,
  ...(config.protocolVersion === undefined ? {} : { protocolVersion: config.protocolVersion }),
  ...(config.minCompatible === undefined ? {} : { minCompatible: config.minCompatible }),
  pushToken: config.pushToken,
  enrolmentToken: config.enrolmentToken,
  keys: config.keys,
  ...(config.root === undefined ? {} : { root: config.root }),
});

function readRunningImage(native: Native): { readonly chip: string; readonly image: RunningImage } {
  const running = flash.open({ path: "running", mode: "r" });
  const { description, imageSha256 } = readImageInFlash(running);
  running.close();
  const version = parseVersion(description?.version ?? "");
  const state = native.skyslot_slot_state();
  const settings = native.skyslot_nvs();
  const nvs = nvsKindOf(settings & 255, settings >> 8);
  return {
    chip: description?.chip ?? "unknown",
    image: {
      version: version ? versionName(version) : (description?.version ?? ""),
      build: version?.build ?? 0,
      imageSha256,
      slot: runningLabel(native),
      slotState: slotStateOf(state),
      ...(isTorn(state) ? { stateTorn: true } : {}),
      securityVersion: description?.securityVersion ?? 0,
      compileDate: description?.date ?? "",
      compileTime: description?.time ?? "",
      idfVersion: description?.idfVersion ?? "",
      ...(nvs === undefined ? {} : { nvs }),
    },
  };
}

/** The slot that the next update goes to; none on a partition table without two app partitions. */
function readTarget(native: Native): TargetSlot | undefined {
  const label = nextLabel(native);
  if (label === "") return undefined;
  const slot = flash.open({ path: "nextota", mode: "r" });
  const { size } = slot.status();
  slot.close();
  const unit = native.skyslot_write_unit();
  return {
    label,
    sizeBytes: size,
    state: slotStateOf(native.skyslot_partition_state(label)),
    ...(unit > 1 ? { writeUnitBytes: unit } : {}),
  };
}
