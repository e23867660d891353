// Devices that were removed: the list, and what is kept of one.

import type { RemovedDeviceView } from "../../../api/device-views.js";
import type { UpdateView } from "../../../api/release-views.js";
import type { EventView } from "../../../events/event-view.js";
import { useMay } from "../actor.js";
import { Attempt } from "../attempt.js";
import { useData, withParams } from "../data.js";
import { moment } from "../format.js";
import { devicePath } from "../log.js";
import type { Model } from "../model.js";
import { FilterField } from "../parts/fields.js";
import { Heading } from "../parts/heading.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { Table } from "../parts/table.js";
import { Terms } from "../parts/terms.js";
import { go, Link, type Place, withQuery } from "../router.js";
import { Erasure } from "./removal.js";
import { TIMELINE_LENGTH, Timeline } from "./timeline.js";

const LIMIT = 50;
export const REMOVED_PATH = "/devices?removed=yes";

interface RemovedAnswer {
  readonly devices: readonly RemovedDeviceView[];
  readonly total: number;
}

/** Nothing where none was removed. */
export function RemovedLink() {
  const { data } = useData<RemovedAnswer>("/api/removed-devices?limit=1");
  if (!data || data.total === 0) return null;
  return (
    <p class="quiet">
      <Link to={REMOVED_PATH}>Removed devices: {data.total.toLocaleString("en")}</Link>
    </p>
  );
}

export function RemovedDevices({ place }: { readonly place: Place }) {
  const search = place.query.get("search") ?? "";
  const offset = readOffset(place.query.get("offset"));
  const removed = useData<RemovedAnswer>(
    withParams("/api/removed-devices", { search, limit: LIMIT, offset }),
  );
  const { data } = removed;
  return (
    <>
      <Heading up={["/devices", "Devices"]} title="Removed devices" />
      <search class="fields filters">
        <FilterField
          label="Search"
          type="search"
          placeholder="Part of the id"
          value={search}
          onChange={(text) => go(withQuery(place, { search: text, offset: "" }), true)}
        />
      </search>
      <Loading {...removed} />
      {data?.total === 0 && <Empty title={search === "" ? "No device was removed" : "No devices match"} />}
      {data && data.total > 0 && (
        <Table
          rows={data.devices}
          keyOf={({ device_id }) => device_id}
          columns={[
            ["Device", ({ device_id }) => <Link to={devicePath(device_id)}>{device_id}</Link>],
            ["Type", ({ device_type }) => device_type],
            ["Version", ({ version }) => version, "mono"],
            ["Last seen", ({ last_seen }) => moment(last_seen)],
            ["Removed", ({ removed_at, removed_by }) => `${moment(removed_at)} by ${removed_by}`],
          ]}
        />
      )}
      <Pager {...{ place, offset }} limit={LIMIT} total={data?.total} />
    </>
  );
}

interface RemovedDeviceProps {
  readonly id: string;
  readonly model: Model;
  /** Why there is no such device, unless it was removed. */
  readonly problem: string;
}

export function RemovedDevice({ id, model, problem }: RemovedDeviceProps) {
  const path = encodeURIComponent(id);
  const { data, problem: noneKept } = useData<
    RemovedDeviceView & { readonly attempts: readonly UpdateView[] }
  >(`/api/removed-devices/${path}`);
  const timeline = useData<{ readonly events: readonly EventView[] }>(
    `/api/devices/${path}/timeline?limit=${TIMELINE_LENGTH}`,
  );
  const mayErase = useMay("devices:write");
  const events = timeline.data?.events ?? [];
  return (
    <>
      <Heading
        title={id}
        up={data ? [REMOVED_PATH, "Removed devices"] : ["/devices", "Devices"]}
        class="name"
      >
        {data && <span class="pill failed">removed</span>}
      </Heading>
      {!data && (noneKept === "" ? <Loading data={undefined} problem="" /> : <Problem text={problem} />)}
      {data && (
        <>
          <section class="card padded device">
            <Terms
              class="facts"
              facts={[
                ["Removed", `${moment(data.removed_at)} by ${data.removed_by}`],
                ["Type", data.device_type],
                ["Ran last", data.version],
                ["First seen", moment(data.first_seen)],
                ["Last seen", moment(data.last_seen)],
              ]}
            />
            {mayErase && (
              <p class="actions">
                <Erasure id={id} onDone={() => go(REMOVED_PATH)} />
              </p>
            )}
          </section>
          <h2>Attempts</h2>
          {data.attempts.length === 0 && <Empty title="No updates" />}
          {data.attempts.map((update) => (
            <div key={update.id} class="card padded attempt-card">
              <Attempt update={update} firmware={model.firmware.get(update.firmware_id)} events={events} />
            </div>
          ))}
          <h2>Timeline</h2>
          <Timeline path={`/api/devices/${path}`} newest={events} problem={timeline.problem} />
        </>
      )}
    </>
  );
}
