// Device types: whether their firmware must be signed, who may register, and whether devices need tokens of their own.

import { useState } from "preact/hooks";
import type { FleetView } from "../../../api/fleet-views.js";
import type { PolicyView } from "../../../api/registration-views.js";
import type { TypeView } from "../../../api/release-views.js";
import { useMay } from "../actor.js";
import { useData } from "../data.js";
import { plural } from "../format.js";
import { Select, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/form.js";
import { useQuestion } from "../parts/question.js";
import { Table } from "../parts/table.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { Section } from "./section.js";
import { askOfType, OTHERS } from "./type-questions.js";

interface PoliciesAnswer {
  readonly unvouched: readonly { readonly device_type: string; readonly device_count: number }[];
  readonly default: PolicyView;
  readonly policies: readonly PolicyView[];
}

const ALL_OTHERS = "*";
const KINDS = ["signed", "legacy"];
const REGISTRATIONS = ["open", "enrolment", "approval"];
const TOKENS = ["optional", "first-use", "required"];

export function Types() {
  const types = useData<{ readonly types: readonly TypeView[] }>("/api/types");
  const policies = useData<PoliciesAnswer>("/api/registration");
  const fleet = useData<FleetView>("/api/fleet");
  const mayChange = useMay("settings:write");
  const [added, setAdded] = useState<readonly string[]>([]);
  const [name, setName] = useState("");
  const question = useQuestion();
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
  // Not those whose own policy differs from the one that would change.
  const countOf = (type: string) =>
    (fleet.data?.versions ?? [])
      .filter(({ device_type }) =>
        type === ALL_OTHERS
          ? !data?.policies.some((policy) => policy.device_type === device_type)
          : device_type === type,
      )
      .reduce((sum, { device_count }) => sum + device_count, 0);
  const put = (
    rule: Parameters<typeof askOfType>[0],
    value: string,
    type: string,
    path: string,
    body: object,
  ) =>
    question.ask({
      ...askOfType(rule, value, {
        name: type === ALL_OTHERS ? OTHERS : type,
        deviceCount: countOf(type),
      }),
      work: async () => {
        await ask("PUT", path, body);
        types.reload();
        policies.reload();
      },
    });
  const kindOf = (type: string) => types.data?.types.find((one) => one.name === type)?.kind ?? "signed";
  const select = (
    label: string,
    value: string,
    choices: readonly string[],
    onChange: (value: string) => void,
  ) => (mayChange ? <Select aria-label={label} {...{ value, choices, onChange }} /> : <span>{value}</span>);
  const policySelect = (
    type: string,
    name: "registration" | "tokens",
    label: string,
    choices: readonly string[],
  ) => {
    const { registration, tokens } = policyOf(type) ?? {};
    return select(`${label} of ${type}`, policyOf(type)?.[name] ?? "", choices, (value) =>
      put(name, value, type, `/api/registration/${encodeURIComponent(type)}`, {
        registration,
        tokens,
        [name]: value,
      }),
    );
  };
  return (
    <Section
      title="Device types"
      loaded={{ data: data && types.data, problem: types.problem || policies.problem }}
      problem=""
      footer={
        <p class="quiet">
          Open: any device can register. Enrolment: only devices with an enrolment token. Approval: any device
          can register, but gets no updates until approved. A rollout counts devices that came with an
          enrolment token or were approved, and those that were known before it began; others that anyone
          registered are offered it, but are not counted. Legacy firmware is unsigned: anyone who controls
          this server controls these devices.
        </p>
      }
    >
      {question.dialog}
      <Table
        rows={[...names, ALL_OTHERS]}
        keyOf={(type) => type}
        columns={[
          ["Type", (type) => (type === ALL_OTHERS ? "All others" : type)],
          [
            "Firmware",
            (type) => [
              type === ALL_OTHERS
                ? "signed"
                : select(`Firmware of ${type}`, kindOf(type), KINDS, (kind) =>
                    put("kind", kind, type, `/api/types/${type}`, { kind }),
                  ),
              kindOf(type) === "legacy" && <span class="pill failed">not signed</span>,
            ],
          ],
          [
            "Registration",
            (type) => [
              policySelect(type, "registration", "Registration", REGISTRATIONS),
              policyOf(type)?.registration === "open" && <span class="pill failed">anyone can register</span>,
            ],
          ],
          [
            "Vouched for by nobody",
            (type) => {
              const count =
                data?.unvouched.find(({ device_type }) => device_type === type)?.device_count ?? 0;
              return count === 0 ? (
                "–"
              ) : (
                <Link to={`/devices?vouched=no&type=${encodeURIComponent(type)}`}>
                  {plural(count, "device")}
                </Link>
              );
            },
          ],
          ["Device tokens", (type) => policySelect(type, "tokens", "Device tokens", TOKENS)],
        ]}
      >
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
      </Table>
    </Section>
  );
}
