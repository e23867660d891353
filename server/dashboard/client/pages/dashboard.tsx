// The first page: the state of the fleet, what is in progress, and recent failures.

import type { FleetView, HistoryView } from "../../../api/fleet-views.js";
import type { UpdateView } from "../../../api/release-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { useData } from "../data.js";
import { Device } from "../device.js";
import { ago, versionOf, words } from "../format.js";
import { devicePath, LogLines } from "../log.js";
import { attemptsOf, isOpen, type Model } from "../model.js";
import type { PageProps } from "../page-props.js";
import { Empty, NoDevices, Problem } from "../parts/notes.js";
import { VersionChart } from "../parts/version-chart.js";
import { RolloutCard } from "../rollouts/card.js";
import { Link } from "../router.js";

/** A small fleet is shown in full, of a larger one only devices that are updating. */
const SMALL_FLEET_COUNT = 8;
const SHOWN_EVENT_COUNT = 60;
const SHOWN_FAILURE_COUNT = 6;
const HISTORY_DAYS = 7;

export function Dashboard({ model, now }: PageProps) {
  const fleet = useData<FleetView>("/api/fleet", ["device"]);
  const history = useData<HistoryView>(`/api/fleet/history?days=${HISTORY_DAYS}`);
  const isEmpty = fleet.data?.total === 0;
  return (
    <>
      <h1 class="hidden">Dashboard</h1>
      <Summary fleet={fleet.data} model={model} />
      <Problem text={fleet.problem || history.problem} />
      {isEmpty && <NoDevices />}
      <div class="columns">
        {!isEmpty && history.data && (
          <section>
            <h2>Versions, {HISTORY_DAYS} days</h2>
            <div class="card padded">
              <VersionChart samples={untilNow(history.data, fleet.data)} />
            </div>
          </section>
        )}
        <Failures model={model} now={now} />
      </div>
      <Rollouts />
      <Devices model={model} now={now} />
      <h2>Log</h2>
      <Log model={model} />
    </>
  );
}

/** The history is loaded once; the current counts follow the fleet. */
const untilNow = ({ samples }: HistoryView, fleet: FleetView | undefined): HistoryView["samples"] =>
  fleet ? [...samples.slice(0, -1), { time: fleet.time, versions: fleet.versions }] : samples;

function Summary({ fleet, model }: { readonly fleet: FleetView | undefined; readonly model: Model }) {
  const updating = [...model.updates.values()].filter(isOpen).length;
  const tiles: readonly (readonly [name: string, count: number | undefined, to: string])[] = [
    ["online", fleet?.online, "/devices?status=online"],
    ["late", fleet?.late, "/devices?status=late"],
    ["offline", fleet?.offline, "/devices?status=offline"],
    ["updating", updating, "/ota-management"],
    ...(fleet?.pending ? [["to approve", fleet.pending, "/devices?approval=pending"] as const] : []),
    // Where nobody vouches for any device, that is no news.
    ...(fleet && fleet.unvouched > 0 && fleet.unvouched < fleet.total - fleet.pending
      ? [["vouched for by nobody", fleet.unvouched, "/devices?vouched=no"] as const]
      : []),
  ];
  return (
    <ul class="summary">
      {tiles.map(([name, count, to]) => (
        <li key={name} class={`card tile-${name.replaceAll(" ", "-")}`}>
          <Link to={to}>
            <strong>{count?.toLocaleString("en") ?? "–"}</strong> <span>{name}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Rollouts() {
  const running = useData<{ readonly rollouts: readonly RolloutView[] }>("/api/rollouts?limit=20", [
    "rollout",
  ]);
  const mayRoll = useMay("rollouts:write");
  const open = running.data?.rollouts.filter(({ state }) => state !== "finished" && state !== "cancelled");
  if (!open || (open.length === 0 && !mayRoll)) return <Problem text={running.problem} />;
  return (
    <section>
      <h2>Rollouts</h2>
      {open.length === 0 && (
        <Empty title="No rollout is in progress">
          A stable release is offered to every device of its type; a rollout delivers it in stages.{" "}
          <Link to="/ota-management/rollouts/new">Plan a rollout</Link>
        </Empty>
      )}
      <div class="rollouts">
        {open.map((rollout) => (
          <RolloutCard key={rollout.id} rollout={rollout} />
        ))}
      </div>
    </section>
  );
}

const wentWrong = ({ outcome }: UpdateView): boolean => outcome === "failed" || outcome === "rolled_back";

function Failures({ model, now }: { readonly model: Model; readonly now: number }) {
  const failures = [...model.updates.values()]
    .filter(wentWrong)
    .sort((a, b) => b.id - a.id)
    .slice(0, SHOWN_FAILURE_COUNT);
  if (failures.length === 0) return null;
  return (
    <section>
      <h2>Failures and rollbacks</h2>
      <ol class="card entries">
        {failures.map((update) => (
          <li key={update.id}>
            <p>
              <Link to={devicePath(update.device_id)}>{update.device_id}</Link>
              <span class="pill failed">{words(update.outcome ?? "failed")}</span>
              <span class="mono">{targetOf(model, update)}</span>
              <span class="seen">
                {ago(Date.parse(update.finished_at ?? update.updated_at), now + model.clockOffsetMs)}
              </span>
            </p>
            <p class="quiet">
              <code>{update.error_code}</code> {update.error_message}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function targetOf(model: Model, { firmware_id }: UpdateView): string {
  const firmware = model.firmware.get(firmware_id);
  return firmware ? versionOf(firmware.version, firmware.build_number) : `firmware ${firmware_id}`;
}

function Devices({ model, now }: { readonly model: Model; readonly now: number }) {
  const all = [...model.devices.values()].sort((a, b) => a.device_id.localeCompare(b.device_id));
  const isSmall = all.length <= SMALL_FLEET_COUNT;
  const shown = isSmall
    ? all
    : all
        .filter(({ device_id }) => attemptsOf(model, device_id).slice(0, 1).some(isOpen))
        .slice(0, SMALL_FLEET_COUNT);
  if (shown.length === 0) return null;
  return (
    <section>
      <h2>{isSmall ? "Devices" : "Updating now"}</h2>
      <div class="devices">
        {shown.map((device) => (
          <Device key={device.device_id} model={model} device={device} now={now} />
        ))}
      </div>
    </section>
  );
}

const Log = ({ model }: { readonly model: Model }) => (
  <div class="card log">
    <p class="hidden" role="status">
      {model.events[0]?.message}
    </p>
    {model.events.length === 0 && <p class="quiet">No events yet.</p>}
    <LogLines events={model.events.slice(0, SHOWN_EVENT_COUNT)} />
  </div>
);
