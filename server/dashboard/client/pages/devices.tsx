// The list of devices. Search, filters and pages are in the URL, so that a list can be shared. The server searches and counts.

import { useState } from "preact/hooks";
import type { FleetView } from "../../../api/fleet-views.js";
import { useMay } from "../actor.js";
import { useData, withParams } from "../data.js";
import { Bulk } from "../devices/bulk.js";
import { RemovedDevices, RemovedLink } from "../devices/removed.js";
import type { DeviceRow, DevicesAnswer, LabelsAnswer } from "../devices/row.js";
import { SavedViews } from "../devices/saved-views.js";
import { LabelPills, StatePill, StatusLamp } from "../devices/status.js";
import { ago, signal, versionOf } from "../format.js";
import { devicePath } from "../log.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { Check, ChoiceField, FilterField, Suggestions } from "../parts/fields.js";
import { Heading } from "../parts/heading.js";
import { Empty, Loading, NoDevices, Problem } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { Table } from "../parts/table.js";
import { go, Link, withQuery } from "../router.js";

const LIMIT = 50;
const FILTERS = ["search", "type", "version", "status", "tag", "group", "vouched", "root"] as const;
const ORDERS = [
  ["id", "By id"],
  ["seen", "Last seen first"],
  ["type", "By type"],
  ["version", "Oldest version first"],
  ["group", "By group"],
  ["battery", "Emptiest battery first"],
  ["signal", "Weakest signal first"],
] as const;
const STATUSES = ["online", "late", "offline"] as const;

export function Devices(props: PageProps) {
  const { query } = props.place;
  if (query.get("removed") === "yes") return <RemovedDevices place={props.place} />;
  return query.get("approval") === "pending" ? <Pending /> : <AllDevices {...props} />;
}

function AllDevices({ place, model, now }: PageProps) {
  const value = (name: string) => place.query.get(name) ?? "";
  const offset = readOffset(place.query.get("offset"));
  const order = ORDERS.find(([wanted]) => wanted === value("order"))?.[0] ?? "id";
  const filters = Object.fromEntries(FILTERS.map((name) => [name, value(name)]));
  const devices = useData<DevicesAnswer>(
    withParams("/api/devices", { ...filters, order, limit: LIMIT, offset }),
    ["device"],
  );
  const fleet = useData<FleetView>("/api/fleet");
  const labels = useData<LabelsAnswer>("/api/devices/labels");
  const tags = labels.data?.tags.map(({ name }) => name) ?? [];
  const groups = labels.data?.groups.map(({ name }) => name) ?? [];
  const pendingCount = fleet.data?.pending ?? 0;
  const mayChange = useMay("devices:write");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const filter = (changes: Readonly<Record<string, string>>) => {
    setChosen(new Set());
    go(withQuery(place, { offset: "", ...changes }), true);
  };
  const choice = (label: string, name: string, choices: readonly string[], changes: object = {}) => (
    <Choice
      {...{ label, choices }}
      value={value(name)}
      onChange={(chosenValue) => filter({ [name]: chosenValue, ...changes })}
    />
  );
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
        <NoDevices />
        <RemovedLink />
      </>
    );
  return (
    <>
      <Heading title="Devices">
        {pendingCount > 0 && (
          <Link class="button" to="/devices?approval=pending">
            {`${pendingCount} to approve`}
          </Link>
        )}
      </Heading>
      <Suggestions id="tags" words={tags} />
      <Suggestions id="groups" words={groups} />
      <Suggestions id="versions" words={versions} />
      <search class="fields filters">
        <FilterField
          label="Search"
          type="search"
          placeholder="Id, address, tag or group"
          value={value("search")}
          onChange={(search) => filter({ search })}
        />
        {choice("Type", "type", types, { version: "" })}
        {choice("Version", "version", versions)}
        {choice("State", "status", STATUSES)}
        {choice("Tag", "tag", tags)}
        {choice("Group", "group", groups)}
        <ChoiceField
          label="Vouched for"
          value={value("vouched")}
          choices={[
            ["", "All"],
            ["yes", "By somebody"],
            ["no", "By nobody"],
          ]}
          onChange={(vouched) => filter({ vouched })}
        />
        <ChoiceField
          label="Trust root"
          value={value("root")}
          choices={[
            ["", "All"],
            ["behind", "Older than the newest"],
            ["frozen", "Frozen: nothing fresh is heard"],
          ]}
          onChange={(root) => filter({ root })}
        />
        <ChoiceField
          label="Order"
          value={order}
          choices={ORDERS}
          onChange={(next) => filter({ order: next === "id" ? "" : next })}
        />
      </search>
      <SavedViews place={place} />
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
          <Button onClick={() => go("/devices")}>Show all devices</Button>
        </Empty>
      )}
      {data && data.total > 0 && (
        <DeviceTable
          devices={data.devices}
          now={now + model.clockOffsetMs}
          chosen={mayChange ? chosen : undefined}
          onChoose={setChosen}
          {...{ order }}
          onOrder={(next) => filter({ order: next === "id" ? "" : next })}
        />
      )}
      <Pager {...{ place, offset }} limit={LIMIT} total={data?.total} onMove={() => setChosen(new Set())} />
      <RemovedLink />
    </>
  );
}

/** Without empty filters. */
const givenOf = (filters: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(filters).filter(([, wanted]) => wanted !== ""));

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly onChange: (value: string) => void;
}

/** The selected value stays in the list, even if the server no longer has it. */
function Choice({ label, value, choices, onChange }: ChoiceProps) {
  const all = value === "" || choices.includes(value) ? choices : [value, ...choices];
  if (all.length === 0) return null;
  return <ChoiceField {...{ label, value, onChange }} choices={[["", "All"], ...all]} />;
}

type Order = (typeof ORDERS)[number][0];

interface TableProps {
  readonly devices: readonly DeviceRow[];
  readonly now: number;
  /** `undefined`: selection is disabled. */
  readonly chosen: ReadonlySet<string> | undefined;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}

function DeviceTable({ devices, now, chosen, onChoose, order, onOrder }: TableProps) {
  /** The heading of a column that the list can be ordered by. */
  const sorted = (name: string, by: Order) => (
    <Button look="link" isPressed={order === by} onClick={() => onOrder(by)}>
      {name}
    </Button>
  );
  const ids = devices.map(({ device_id }) => device_id);
  const selection = chosen && {
    heading: (
      <Check
        label={<span class="hidden">All of this page</span>}
        isOn={ids.every((id) => chosen.has(id))}
        onChange={(isOn) => onChoose(choose(chosen, ids, isOn))}
      />
    ),
    cell: ({ device_id }: DeviceRow) => <Select id={device_id} {...{ chosen, onChoose }} />,
  };
  return (
    <Table
      rows={devices}
      keyOf={({ device_id }) => device_id}
      namedBy={selection ? 1 : 0}
      columns={[
        ...(selection ? [[selection.heading, selection.cell] as const] : []),
        [sorted("Device", "id"), ({ device_id }) => <Link to={devicePath(device_id)}>{device_id}</Link>],
        [
          "State",
          ({ status, state }) => (
            <>
              <StatusLamp status={status} /> <StatePill state={state} />
            </>
          ),
        ],
        [
          sorted("Version", "version"),
          ({ current_version, current_build, pin }) => (
            <>
              {versionOf(current_version, current_build)} {pin !== null && <span class="pill">pinned</span>}
            </>
          ),
          "mono",
        ],
        [sorted("Type", "type"), ({ device_type }) => device_type],
        [
          "Root",
          ({ root_version, is_frozen }) => (
            <>
              {root_version} {is_frozen && <span class="pill failed">frozen</span>}
            </>
          ),
        ],
        [sorted("Group", "group"), ({ group }) => group && <span class="pill group">{group}</span>],
        ["Tags", (device) => <LabelPills {...device} group={null} />],
        [
          sorted("Battery", "battery"),
          ({ battery_percent }) => battery_percent !== null && `${battery_percent} %`,
        ],
        [sorted("Signal", "signal"), ({ rssi }) => rssi !== null && `${signal(rssi)}, ${rssi} dBm`],
        [sorted("Seen", "seen"), ({ last_seen }) => ago(Date.parse(last_seen), now)],
      ]}
    />
  );
}

/** A selection with some ids more or less. */
function choose(chosen: ReadonlySet<string>, ids: readonly string[], isOn: boolean): ReadonlySet<string> {
  return new Set(isOn ? [...chosen, ...ids] : [...chosen].filter((id) => !ids.includes(id)));
}

interface SelectProps {
  readonly id: string;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
}

const Select = ({ id, chosen, onChoose }: SelectProps) => (
  <Check
    label={<span class="hidden">Select {id}</span>}
    isOn={chosen.has(id)}
    onChange={(isOn) => onChoose(choose(chosen, [id], isOn))}
  />
);

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
      <Heading up={["/devices", "Devices"]} title="To approve" />
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
        <ul class="card rows">
          {data.devices.map(({ device_id, device_type }) => (
            <li key={device_id}>
              {mayChange && <Select id={device_id} chosen={chosen} onChoose={setChosen} />}
              <Link to={devicePath(device_id)}>{device_id}</Link>
              <span class="quiet">{device_type}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
