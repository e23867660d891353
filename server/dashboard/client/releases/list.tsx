// The list of releases, with the actions for each.

import { useEffect, useRef } from "preact/hooks";
import type { FirmwareView } from "../../../api/release-views.js";
import { describeRollouts, isWithheld } from "../../../shared/rollout-offering.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { useData } from "../data.js";
import { ago, bytes, versionOf } from "../format.js";
import { Confirm } from "../parts/confirm.js";
import { useQuestion } from "../parts/question.js";
import { Table } from "../parts/table.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { EditNotes } from "./notes.js";
import { Switches } from "./switches.js";

interface ListProps {
  readonly releases: readonly FirmwareView[];
  /** Milliseconds, by the server's clock. */
  readonly now: number;
  readonly onChange: () => void;
  /** One that was just uploaded: shown and marked. */
  readonly newId?: number | undefined;
}

export function Releases({ releases, now, onChange, newId }: ListProps) {
  const mayChange = useMay("releases:write");
  const mayRoll = useMay("rollouts:write");
  const question = useQuestion();
  return (
    <>
      {question.dialog}
      <Table
        rows={releases}
        keyOf={({ id }) => id}
        columns={[
          ["Release", (firmware) => <Name firmware={firmware} isNew={firmware.id === newId} />],
          ["Board", ({ hardware }) => hardware],
          ["Size", ({ file_size }) => bytes(file_size), "mono"],
          ["Needs", ({ min_current_version }) => min_current_version ?? "any", "mono"],
          [
            "State",
            (firmware) => (
              <>
                {mayChange ? (
                  <Switches firmware={firmware} onAsk={question.ask} onChange={onChange} />
                ) : (
                  <StatePill {...firmware} />
                )}
                {firmware.is_active && firmware.is_stable && <RolloutLimits firmware={firmware} />}
              </>
            ),
          ],
          ["Uploaded", ({ created_at }) => ago(Date.parse(created_at), now)],
          [
            "",
            (firmware) => (
              <span class="row-actions">
                {mayChange && <EditNotes firmware={firmware} onChange={onChange} />}
                {mayChange && !firmware.is_active && <Delete firmware={firmware} onDone={onChange} />}
                {mayRoll && firmware.is_active && (
                  <Link to={`/ota-management/rollouts/new?firmware=${firmware.id}`}>Roll out</Link>
                )}
                <a href={`${firmware.download_url}?direct=1`} download={firmware.filename}>
                  Download
                </a>
              </span>
            ),
          ],
        ]}
      />
    </>
  );
}

interface NameProps {
  readonly firmware: FirmwareView;
  readonly isNew: boolean;
}

function Name({ firmware, isNew }: NameProps) {
  const row = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (isNew) row.current?.scrollIntoView({ block: "center", behavior: "smooth" });
  }, [isNew]);
  return (
    <>
      {isNew && (
        <span ref={row} class="pill success">
          just uploaded
        </span>
      )}{" "}
      {firmware.device_type} <span class="mono">{versionOf(firmware.version, firmware.build_number)}</span>
      {!firmware.is_signed && <span class="pill failed">not signed</span>}
      {firmware.release_notes && <p class="quiet notes">{firmware.release_notes}</p>}
    </>
  );
}

/** The server refuses it, and says why, while anything needs the release. */
const Delete = ({ firmware, onDone }: { readonly firmware: FirmwareView; readonly onDone: () => void }) => (
  <Confirm
    name="Delete"
    title={`Delete ${nameOf(firmware)} for good?`}
    confirmName="Delete for good"
    isDangerous
    onConfirm={async () => {
      await ask("DELETE", `/api/ota/admin/firmware/${firmware.id}?permanently=true`);
      onDone();
    }}
  >
    Its attempts and ended rollouts are deleted with it; the log keeps their lines. This cannot be undone.
  </Confirm>
);

const nameOf = ({ device_type, version, build_number }: FirmwareView): string =>
  `${device_type} ${versionOf(version, build_number)}`;

const StatePill = ({ is_active, is_stable }: FirmwareView) => (
  <span class={`pill ${is_active && is_stable ? "success" : "pending"}`}>
    {is_active ? (is_stable ? "stable" : "not stable") : "inactive"}
  </span>
);

/** Rollouts may limit a stable release. */
function RolloutLimits({ firmware }: { readonly firmware: FirmwareView }) {
  const { data } = useData<{ readonly rollouts: readonly RolloutView[] }>(
    `/api/rollouts?firmware_id=${firmware.id}`,
    ["rollout"],
  );
  const text = data && describeRollouts(data.rollouts);
  if (!data || !text) return null;
  return (
    <p class="quiet notes">
      {isWithheld(data.rollouts) && <span class="pill failed">limited by rollouts</span>} {text}
    </p>
  );
}
