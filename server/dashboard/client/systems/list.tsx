// The systems of a server: devices that are updated as one. Signing is done on the command line: no page of the server asks for a release key.

import type { SystemView } from "../../../api/system-views.js";
import { useMay } from "../actor.js";
import { useAction, useData } from "../data.js";
import { ago } from "../format.js";
import { Drop } from "../parts/drop.js";
import { Check } from "../parts/fields.js";
import { Loading, Problem } from "../parts/notes.js";
import { Table } from "../parts/table.js";
import { ask } from "../session.js";

interface SystemsAnswer {
  readonly systems: readonly SystemView[];
}

const LIMIT = 20;
/** Longer files are no manifest of a system. */
const MAX_MANIFEST_BYTES = 8 * 1024;
const STATE_CLASSES: Readonly<Record<SystemView["state"], string>> = Object.freeze({
  published: "success",
  older: "pending",
  incomplete: "failed",
  inactive: "pending",
});

/** Nothing where there is none: most fleets have no systems. @param now milliseconds, by the server's clock */
export function Systems({ now }: { readonly now: number }) {
  const systems = useData<SystemsAnswer>(`/api/v1/systems?limit=${LIMIT}`, ["firmware"]);
  const mayChange = useMay("releases:write");
  const action = useAction(systems.reload);
  const upload = (file: File) =>
    action.run(async () => {
      if (file.size > MAX_MANIFEST_BYTES)
        throw new Error(`${file.name} is ${file.size} bytes, a manifest has at most ${MAX_MANIFEST_BYTES}`);
      await ask("POST", "/api/v1/systems", { manifest: (await file.text()).trim() });
    });
  const setActive = (id: number, is_active: boolean) =>
    action.run(() => ask("PATCH", `/api/v1/systems/${id}`, { is_active }));
  const rows = systems.data?.systems ?? [];
  if (rows.length === 0) return null;
  return (
    <>
      <h2>Systems</h2>
      <Loading {...systems} />
      <Problem text={action.problem} />
      <Table
        rows={rows}
        keyOf={({ id }) => id}
        columns={[
          ["System", (system) => <Name system={system} />],
          [
            "Devices",
            ({ components }) => components.map(({ name, version }) => `${name} ${version}`).join(", "),
          ],
          ["State", (system) => <State system={system} />],
          ["Uploaded", ({ created_at }) => ago(Date.parse(created_at), now)],
          [
            "",
            ({ id, is_active }) =>
              mayChange && (
                <Check
                  label="active"
                  isOn={is_active}
                  isDisabled={action.isBusy}
                  onChange={(isOn) => setActive(id, isOn)}
                />
              ),
          ],
        ]}
      />
      {mayChange && (
        <Drop
          label="Next version of a system"
          hint="The .system.jws that `skyslot system sign` has written"
          accept=".jws"
          file={undefined}
          onFile={upload}
        />
      )}
    </>
  );
}

const Name = ({ system: { name, version, description } }: { readonly system: SystemView }) => (
  <>
    {name} <span class="mono">{version}</span>
    {description && <p class="quiet notes">{description}</p>}
  </>
);

const State = ({ system: { state, problems, components } }: { readonly system: SystemView }) => {
  const alone = components.filter(({ is_stable }) => is_stable).map(({ name }) => name);
  return (
    <>
      <span class={`pill ${STATE_CLASSES[state]}`}>{state}</span>
      {problems.length > 0 && <p class="quiet notes">{problems.join("; ")}</p>}
      {alone.length > 0 && (
        <p class="quiet notes">Stable, and so offered without the others: {alone.join(", ")}</p>
      )}
    </>
  );
};
