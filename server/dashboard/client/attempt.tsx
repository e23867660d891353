// One attempt: from and to which version, its progress, and each stage with its time.

import type { FirmwareView, UpdateView } from "../../api/release-views.js";
import type { EventView } from "../../events/event-view.js";
import { bytes, clock, versionOf } from "./format.js";
import { isOpen } from "./model.js";
import { STAGED, type Stage, stagesOf } from "./stages.js";

interface AttemptProps {
  readonly update: UpdateView;
  readonly firmware: FirmwareView | undefined;
  readonly events: readonly EventView[];
}

export function Attempt({ update, firmware, events }: AttemptProps) {
  const target = firmware
    ? versionOf(firmware.version, firmware.build_number)
    : `firmware ${update.firmware_id}`;
  return (
    <section class={`attempt ${update.status}`} aria-label={`Update to ${target}: ${update.status}`}>
      <p class="route">
        <span class="mono">{versionOf(update.from_version, update.from_build)}</span>
        <span aria-hidden="true">→</span>
        <span class="hidden">to</span>
        <strong class="mono">{target}</strong>
        <span class={`pill ${update.status}`}>{describeStatus(update)}</span>
      </p>
      {isOpen(update) && firmware && <Progress update={update} sizeBytes={firmware.file_size} />}
      <ol class="stages">
        {stagesOf(update, events).map((stage) => (
          <StageItem key={stage.name} stage={stage} />
        ))}
      </ol>
      {update.status === "failed" && (
        <p class="failure">
          <code>{update.error_code}</code> {update.error_message}
        </p>
      )}
    </section>
  );
}

function Progress({ update, sizeBytes }: { readonly update: UpdateView; readonly sizeBytes: number }) {
  const share = Math.floor((100 * update.bytes_downloaded) / sizeBytes);
  return (
    <div class="progress">
      <progress max={sizeBytes} value={update.bytes_downloaded} aria-label="Downloaded" />
      <span class="mono">
        {share} % · {bytes(update.bytes_downloaded)} of {bytes(sizeBytes)}
      </span>
    </div>
  );
}

const STATE_WORDS = { done: "done", now: "in progress", failed: "failed", ahead: "not yet" } as const;

function StageItem({ stage }: { readonly stage: Stage }) {
  return (
    <li class={stage.state} aria-current={stage.state === "now" ? "step" : undefined}>
      <span class="dot" aria-hidden="true" />
      <span class="name">{stage.name}</span>
      <span class="hidden">{STATE_WORDS[stage.state]}</span>
      {stage.time && stage.state !== "ahead" && (
        <time class="mono" dateTime={stage.time}>
          {clock(stage.time)}
        </time>
      )}
    </li>
  );
}

const describeStatus = ({ status, step, outcome }: UpdateView): string =>
  status === "installing" && step === STAGED
    ? "staged, waits for the others"
    : (outcome?.replace("_", " ") ?? status);
