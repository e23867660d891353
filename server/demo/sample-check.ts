// The check of a sample device: what it says of itself, with what it measures made up.

import type { FastifyInstance } from "fastify";
import type { CheckRequest, CheckResponse, SlotState } from "../../firmware/core/wire.js";

/** How often a sample device checks, seconds. */
export const SAMPLE_CHECK_SECONDS = 120;

export interface SampleState {
  readonly id: string;
  readonly type: string;
  readonly chip: string;
  readonly version: string;
  readonly build: number;
  readonly imageSha256: string;
  readonly slotState: SlotState;
  readonly bootCount: number;
  readonly resetReason: string;
  /** In its own network. */
  readonly address: string;
}

/** @returns `undefined`: it was refused, such as a blocked device. @param draw numbers in [0, 1) */
export async function sendSampleCheck(
  app: FastifyInstance,
  state: SampleState,
  draw: () => number,
): Promise<CheckResponse | undefined> {
  const payload: CheckRequest = {
    device_id: state.id,
    device_type: state.type,
    current_version: state.version,
    current_build: state.build,
    hardware: state.chip,
    chip: state.chip,
    image_sha256: state.imageSha256,
    slot: state.bootCount % 2 === 0 ? "ota_1" : "ota_0",
    slot_state: state.slotState,
    boot_count: state.bootCount,
    reset_reason: state.resetReason,
    free_heap: 90_000 + Math.floor(draw() * 60_000),
    rssi: -45 - Math.floor(draw() * 40),
    uptime_seconds: Math.floor(draw() * 200_000),
    address: state.address,
    check_seconds: SAMPLE_CHECK_SECONDS,
    ...(state.type === "cms" ? { battery_percent: 20 + Math.floor(draw() * 80) } : {}),
  };
  const answer = await app.inject({ method: "POST", url: "/api/ota/check", payload });
  return answer.statusCode === 200 ? answer.json() : undefined;
}
