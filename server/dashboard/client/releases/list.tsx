// The list of releases, with the actions for each.

import type { FirmwareView } from "../../../api/release-views.js";
import { describeRollouts, isWithheld } from "../../../shared/rollout-offering.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { useAction, useData } from "../data.js";
import { ago, bytes, versionOf } from "../format.js";
import { Check } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { EditNotes } from "./notes.js";

interface ListProps {
  readonly releases: readonly FirmwareView[];
  /** Milliseconds, by the server's clock. */
  readonly now: number;
  readonly onChange: () => void;
}

export function Releases({ releases, now, onChange }: ListProps) {
  const mayChange = useMay("releases:write");
  const mayRoll = useMay("rollouts:write");
  const action = useAction();
  const change = (id: number, changes: object) =>
    action.run(async () => {
      await ask("PATCH", `/api/ota/admin/firmware/${id}`, changes);
      onChange();
    });
  return (
    <>
      <Problem text={action.problem} />
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Release</th>
              <th scope="col">Board</th>
              <th scope="col">Size</th>
              <th scope="col">Needs</th>
              <th scope="col">State</th>
              <th scope="col">Uploaded</th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {releases.map((firmware) => (
              <tr key={firmware.id}>
                <th scope="row">
                  {firmware.device_type}{" "}
                  <span class="mono">{versionOf(firmware.version, firmware.build_number)}</span>
                  {!firmware.is_signed && <span class="pill failed">not signed</span>}
                  {firmware.release_notes && <p class="quiet notes">{firmware.release_notes}</p>}
                </th>
                <td>{firmware.hardware}</td>
                <td class="mono">{bytes(firmware.file_size)}</td>
                <td class="mono">{firmware.min_current_version ?? "any"}</td>
                <td>
                  {mayChange ? (
                    <span class="checks">
                      <Check
                        label="stable"
                        isOn={firmware.is_stable}
                        isDisabled={action.isBusy || !firmware.is_active}
                        onChange={(isStable) => change(firmware.id, { is_stable: isStable })}
                      />
                      <Check
                        label="active"
                        isOn={firmware.is_active}
                        isDisabled={action.isBusy}
                        onChange={(isActive) => change(firmware.id, { is_active: isActive })}
                      />
                    </span>
                  ) : (
                    <span class={`pill ${firmware.is_active && firmware.is_stable ? "success" : "pending"}`}>
                      {firmware.is_active ? (firmware.is_stable ? "stable" : "not stable") : "inactive"}
                    </span>
                  )}
                  {firmware.is_active && firmware.is_stable && <Bonds firmware={firmware} />}
                </td>
                <td>{ago(Date.parse(firmware.created_at), now)}</td>
                <td>
                  <span class="row-actions">
                    {mayChange && <EditNotes firmware={firmware} onChange={onChange} />}
                    {mayRoll && firmware.is_active && (
                      <Link to={`/ota-management/rollouts/new?firmware=${firmware.id}`}>Roll out</Link>
                    )}
                    <a href={`${firmware.download_url}?direct=1`} download={firmware.filename}>
                      Download
                    </a>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Rollouts may limit a stable release. */
function Bonds({ firmware }: { readonly firmware: FirmwareView }) {
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
