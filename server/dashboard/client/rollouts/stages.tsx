// The stages of a rollout as progress bars.

import type { ProgressView } from "../../../api/rollout-views.js";
import { proofOf } from "../../../shared/rollout-terms.js";
import { plural } from "../format.js";
import { PIECE_WORDS, piecesOf, type StageTallyView } from "./stage-bar.js";

type StageView = ProgressView["stages"][number];

export const StageBars = ({ rollout }: { readonly rollout: ProgressView }) => (
  <ol class="stage-bars">
    {rollout.stages.map((stage, index) => (
      <StageBar key={index} stage={stage} tally={rollout.tallies[index]} state={stateOf(rollout, index)} />
    ))}
  </ol>
);

const STATE_WORDS = { done: "done", open: "open", ahead: "not yet" } as const;

function stateOf({ stage, state, started_at }: ProgressView, index: number): keyof typeof STATE_WORDS {
  if (started_at === null || index > stage) return "ahead";
  return index < stage || state === "finished" ? "done" : "open";
}

interface StageProps {
  readonly stage: StageView;
  readonly tally: StageTallyView | undefined;
  readonly state: keyof typeof STATE_WORDS;
}

function StageBar({ stage, tally, state }: StageProps) {
  const pieces = tally ? piecesOf(tally, stage.device_count) : [];
  const outcomes = pieces
    .map(({ kind, count }) => `${count.toLocaleString("en")} ${PIECE_WORDS[kind]}`)
    .join(", ");
  return (
    <li class={state} aria-label={`Stage ${stage.name}: ${STATE_WORDS[state]}`}>
      <p>
        <strong>{stage.name}</strong>
        <span class="quiet">
          {stage.device_count === null ? STATE_WORDS[state] : plural(stage.device_count, "device")}
        </span>
      </p>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        {pieces.map(({ kind, from, share }) => (
          <rect key={kind} class={kind} x={100 * from} width={100 * share} height="10" />
        ))}
      </svg>
      <p class="quiet">{outcomes || (state === "done" ? "skipped" : proofOf(stage))}</p>
    </li>
  );
}
