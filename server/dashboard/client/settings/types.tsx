// Device types: whether their firmware must be signed, who may register, and whether devices need tokens of their own.

import { useState } from "preact/hooks";
import type { FleetView } from "../../../api/fleet-views.js";
import type { PolicyView } from "../../../api/registration-views.js";
import { useMay } from "../actor.js";
import { useAction, useData } from "../data.js";
import { TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/inline-form.js";
import { Loading, Problem } from "../parts/notes.js";
import { ask } from "../session.js";

interface TypesAnswer {
  readonly types: readonly { readonly name: string; readonly kind: string }[];
}
interface PoliciesAnswer {
  readonly default: PolicyView;
  readonly policies: readonly PolicyView[];
}

const ALL_OTHERS = "*";
const KINDS = ["signed", "legacy"];
const REGISTRATIONS = ["open", "enrolment", "approval"];
const TOKENS = ["optional", "first-use", "required"];

export function Types() {
  const types = useData<TypesAnswer>("/api/types");
  const policies = useData<PoliciesAnswer>("/api/registration");
  const fleet = useData<FleetView>("/api/fleet");
  const mayChange = useMay("settings:write");
  const [added, setAdded] = useState<readonly string[]>([]);
  const [name, setName] = useState("");
  const action = useAction();
  const put = (path: string, body: object) =>
    action.run(async () => {
      await ask("PUT", path, body);
      types.reload();
      policies.reload();
    });
  const { data } = policies;
  const names = [
    ...new Set([
      ...(fleet.data?.versions ?? []).map(({ device_type }) => device_type),
      ...(types.data?.types ?? []).map((type) => type.name),
      ...(data?.policies ?? []).map(({ device_type }) => device_type),
      ...added,
    ]),
  ]
    .filter((each) => each !== ALL_OTHERS)
    .sort();
  const policyOf = (type: string) =>
    data?.policies.find(({ device_type }) => device_type === type) ?? data?.default;
  const add = () => {
    setAdded([...added, name.trim()]);
    setName("");
  };
  return (
    <section>
      <h2>Device types</h2>
      <Loading data={data && types.data} problem={types.problem || policies.problem} />
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Firmware</th>
              <th scope="col">Registration</th>
              <th scope="col">Device tokens</th>
            </tr>
          </thead>
          <tbody>
            {[...names, ALL_OTHERS].map((type) => {
              const kind = types.data?.types.find((one) => one.name === type)?.kind ?? "signed";
              const policy = policyOf(type);
              return (
                <tr key={type}>
                  <th scope="row">{type === ALL_OTHERS ? "All others" : type}</th>
                  <td>
                    {type === ALL_OTHERS ? (
                      "signed"
                    ) : (
                      <Select
                        label={`Firmware of ${type}`}
                        value={kind}
                        choices={KINDS}
                        isFixed={!mayChange}
                        onChange={(next) => put(`/api/types/${type}`, { kind: next })}
                      />
                    )}
                    {kind === "legacy" && <span class="pill failed">not signed</span>}
                  </td>
                  <td>
                    <Select
                      label={`Registration of ${type}`}
                      value={policy?.registration ?? ""}
                      choices={REGISTRATIONS}
                      isFixed={!mayChange}
                      onChange={(registration) =>
                        put(`/api/registration/${encodeURIComponent(type)}`, {
                          registration,
                          tokens: policy?.tokens,
                        })
                      }
                    />
                  </td>
                  <td>
                    <Select
                      label={`Device tokens of ${type}`}
                      value={policy?.tokens ?? ""}
                      choices={TOKENS}
                      isFixed={!mayChange}
                      onChange={(tokens) =>
                        put(`/api/registration/${encodeURIComponent(type)}`, {
                          registration: policy?.registration,
                          tokens,
                        })
                      }
                    />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {mayChange && (
          <InlineForm
            label="Add a device type"
            button="Add"
            isDisabled={!/^[A-Za-z0-9._-]{1,64}$/.test(name.trim())}
            isQuiet
            onSubmit={add}
          >
            <TextField label="Another type" value={name} onChange={setName} />
          </InlineForm>
        )}
      </div>
      <Problem text={action.problem} />
      <p class="quiet">
        Open: whoever asks is registered. Enrolment: with an enrolment token. Approval: whoever asks, but
        nothing is offered before somebody approves. Legacy firmware is not signed: whoever has this server
        has these devices.
      </p>
    </section>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly isFixed: boolean;
  readonly onChange: (value: string) => void;
}

const Select = ({ label, value, choices, isFixed, onChange }: SelectProps) =>
  isFixed ? (
    <span>{value}</span>
  ) : (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {choices.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
