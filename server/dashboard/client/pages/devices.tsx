// The list of devices. Search, filters and pages are in the URL, so that a list can be shared. The server searches and counts.

import { useEffect, useState } from "preact/hooks";
import type { FleetView } from "../../../api/fleet-views.js";
import { useMay } from "../actor.js";
import { useData, withParams } from "../data.js";
import { Bulk } from "../devices/bulk.js";
import type { DeviceRow, DevicesAnswer, LabelsAnswer } from "../devices/row.js";
import { StatePill, StatusLamp } from "../devices/status.js";
import { ago, versionOf } from "../format.js";
import { devicePath } from "../log.js";
import type { PageProps } from "../page-props.js";
import { Check, ChoiceField, TextField } from "../parts/fields.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { go, Link, withQuery } from "../router.js";

const LIMIT = 50;
const TYPING_MS = 300;
const FILTERS = ["search", "type", "version", "status", "tag", "group"] as const;
const STATUSES = ["online", "late", "offline"] as const;

export function Devices(props: PageProps) {
  return props.place.query.get("approval") === "pending" ? <Pending /> : <AllDevices {...props} />;
}

function AllDevices({ place, model, now }: PageProps) {
  const value = (name: string) => place.query.get(name) ?? "";
  const offset = readOffset(place.query.get("offset"));
  const order = value("order") === "seen" ? "seen" : "id";
  const filters = Object.fromEntries(FILTERS.map((name) => [name, value(name)]));
  const devices = useData<DevicesAnswer>(
    withParams("/api/devices", { ...filters, order, limit: LIMIT, offset }),
    ["device"],
  );
  const fleet = useData<FleetView>("/api/fleet");
  const labels = useData<LabelsAnswer>("/api/devices/labels");
  const mayChange = useMay("devices:write");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const filter = (changes: Readonly<Record<string, string>>) => {
    setChosen(new Set());
    go(withQuery(place, { offset: "", ...changes }), true);
  };
  const isFiltered = FILTERS.some((name) => value(name) !== "");
  const { data } = devices;
  const types = [...new Set(fleet.data?.versions.map(({ device_type }) => device_type))];
  const versions = [
    ...new Set(
      fleet.data?.versions
        .filter(({ device_type }) => value("type") === "" || device_type === value("type"))
        .map(({ version }) => version),
    ),
  ];
  if (data?.total === 0 && !isFiltered)
    return (
      <>
        <h1>Devices</h1>
        <Empty title="No device has checked for updates yet">
          Devices appear here with their first check. Their setup portal asks for this server's address.
        </Empty>
      </>
    );
  return (
    <>
      <div class="heading">
        <h1>Devices</h1>
        {fleet.data && fleet.data.pending > 0 && (
          <Link class="button" to="/devices?approval=pending">
            {`${fleet.data.pending} to approve`}
          </Link>
        )}
      </div>
      <Suggestions id="tags" words={labels.data?.tags.map(({ name }) => name)} />
      <Suggestions id="groups" words={labels.data?.groups.map(({ name }) => name)} />
      <Suggestions id="versions" words={versions} />
      <search class="fields filters">
        <SearchField value={value("search")} onChange={(search) => filter({ search })} />
        <Choice
          name="Type"
          value={value("type")}
          choices={types}
          onChange={(type) => filter({ type, version: "" })}
        />
        <Choice
          name="Version"
          value={value("version")}
          choices={versions}
          onChange={(version) => filter({ version })}
        />
        <Choice
          name="State"
          value={value("status")}
          choices={STATUSES}
          onChange={(status) => filter({ status })}
        />
        <Choice
          name="Tag"
          value={value("tag")}
          choices={labels.data?.tags.map(({ name }) => name) ?? []}
          onChange={(tag) => filter({ tag })}
        />
        <Choice
          name="Group"
          value={value("group")}
          choices={labels.data?.groups.map(({ name }) => name) ?? []}
          onChange={(group) => filter({ group })}
        />
        <ChoiceField
          label="Order"
          value={order}
          choices={[
            ["id", "By id"],
            ["seen", "Last seen first"],
          ]}
          onChange={(next) => filter({ order: next === "seen" ? "seen" : "" })}
        />
      </search>
      <Problem text={data ? devices.problem : ""} />
      <Loading {...devices} />
      {mayChange && (
        <Bulk
          ids={[...chosen]}
          found={data && { filter: givenOf(filters), total: data.total }}
          onDone={() => {
            devices.reload();
            labels.reload();
          }}
          onLeave={() => setChosen(new Set())}
        />
      )}
      {data?.total === 0 && (
        <Empty title="No devices match">
          <button type="button" class="quiet" onClick={() => go("/devices")}>
            Show all devices
          </button>
        </Empty>
      )}
      {data && data.total > 0 && (
        <DeviceTable
          devices={data.devices}
          now={now + model.clockOffsetMs}
          chosen={mayChange ? chosen : undefined}
          onChoose={setChosen}
        />
      )}
      {data && (
        <Pager
          list={{ offset, limit: LIMIT, total: data.total }}
          onMove={(to) => {
            setChosen(new Set());
            go(withQuery(place, { offset: to ? `${to}` : "" }));
          }}
        />
      )}
    </>
  );
}

const Suggestions = ({
  id,
  words = [],
}: {
  readonly id: string;
  readonly words?: readonly string[] | undefined;
}) => (
  <datalist id={id}>
    {words.map((word) => (
      <option key={word} value={word} />
    ))}
  </datalist>
);

/** Without empty filters. */
const givenOf = (filters: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(filters).filter(([, wanted]) => wanted !== ""));

interface ChoiceProps {
  readonly name: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly onChange: (value: string) => void;
}

/** The selected value stays in the list, even if the server no longer has it. */
function Choice({ name, value, choices, onChange }: ChoiceProps) {
  const all = value === "" || choices.includes(value) ? choices : [value, ...choices];
  if (all.length === 0) return null;
  return (
    <ChoiceField
      label={name}
      value={value}
      choices={[["", "All"], ...all.map((one) => [one, one] as const)]}
      onChange={onChange}
    />
  );
}

/** Waits until typing has paused. */
function SearchField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChange(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <TextField label="Search" type="search" placeholder="Part of the id" value={text} onChange={setText} />
  );
}

interface TableProps {
  readonly devices: readonly DeviceRow[];
  readonly now: number;
  /** `undefined`: selection is disabled. */
  readonly chosen: ReadonlySet<string> | undefined;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
}

function DeviceTable({ devices, now, chosen, onChoose }: TableProps) {
  const choose = (ids: readonly string[], isOn: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) {
      if (isOn) next.add(id);
      else next.delete(id);
    }
    onChoose(next);
  };
  const ids = devices.map(({ device_id }) => device_id);
  return (
    <div class="card table">
      <table class="device-list">
        <thead>
          <tr>
            {chosen && (
              <th scope="col">
                <Check
                  label={<span class="hidden">All of this page</span>}
                  isOn={ids.every((id) => chosen.has(id))}
                  onChange={(isOn) => choose(ids, isOn)}
                />
              </th>
            )}
            <th scope="col">Device</th>
            <th scope="col">State</th>
            <th scope="col">Version</th>
            <th scope="col">Type</th>
            <th scope="col">Tags</th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr key={device.device_id}>
              {chosen && (
                <td>
                  <Check
                    label={<span class="hidden">Select {device.device_id}</span>}
                    isOn={chosen.has(device.device_id)}
                    onChange={(isOn) => choose([device.device_id], isOn)}
                  />
                </td>
              )}
              <th scope="row">
                <Link to={devicePath(device.device_id)}>{device.device_id}</Link>
              </th>
              <td>
                <StatusLamp status={device.status} /> <StatePill state={device.state} />
              </td>
              <td class="mono">
                {versionOf(device.current_version, device.current_build)}{" "}
                {device.pin !== null && <span class="pill">pinned</span>}
              </td>
              <td>{device.device_type}</td>
              <td>
                {device.group !== null && <span class="pill group">{device.group}</span>}{" "}
                {device.tags.map((tag) => (
                  <span key={tag} class="pill tag">
                    {tag}
                  </span>
                ))}
              </td>
              <td>{ago(Date.parse(device.last_seen), now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IdentitiesAnswer {
  readonly devices: readonly { readonly device_id: string; readonly device_type: string }[];
  readonly total: number;
}

/** Devices that wait for approval. */
function Pending() {
  const waiting = useData<IdentitiesAnswer>("/api/device-identities?state=pending&limit=100", ["device"]);
  const mayChange = useMay("devices:write");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { data } = waiting;
  return (
    <>
      <p class="trail">
        <Link to="/devices">Devices</Link>
      </p>
      <h1>To approve</h1>
      <Loading {...waiting} />
      {data?.total === 0 && (
        <Empty title="No devices are waiting">Devices that ask to register appear here.</Empty>
      )}
      <Bulk
        ids={[...chosen]}
        kinds={["approve", "block"]}
        onDone={waiting.reload}
        onLeave={() => setChosen(new Set())}
      />
      {data && data.total > 0 && (
        <ul class="card waiting">
          {data.devices.map(({ device_id, device_type }) => (
            <li key={device_id}>
              {mayChange && (
                <Check
                  label={<span class="hidden">Select {device_id}</span>}
                  isOn={chosen.has(device_id)}
                  onChange={(isOn) =>
                    setChosen(
                      isOn
                        ? new Set([...chosen, device_id])
                        : new Set([...chosen].filter((id) => id !== device_id)),
                    )
                  }
                />
              )}
              <Link to={devicePath(device_id)}>{device_id}</Link>
              <span class="quiet">{device_type}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
