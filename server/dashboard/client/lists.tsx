// The two lists below the devices: releases and the log.

import { ago, bytes, clock, versionOf } from "./format.js";
import type { Model } from "./model.js";

const SHOWN_EVENT_COUNT = 60;

export function Releases({ model, now }: { readonly model: Model; readonly now: number }) {
  const releases = [...model.firmware.values()].sort((a, b) => b.id - a.id);
  if (releases.length === 0) {
    return (
      <p class="card quiet">
        No release so far. <code>skyslot release upload FIRMWARE.bin</code> brings one here.
      </p>
    );
  }
  return (
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
          </tr>
        </thead>
        <tbody>
          {releases.map((firmware) => (
            <tr key={firmware.id}>
              <th scope="row">
                {firmware.device_type}{" "}
                <span class="mono">{versionOf(firmware.version, firmware.build_number)}</span>
              </th>
              <td>{firmware.hardware}</td>
              <td class="mono">{bytes(firmware.file_size)}</td>
              <td class="mono">{firmware.min_current_version ?? "any"}</td>
              <td>
                <span class={`pill ${firmware.is_active && firmware.is_stable ? "success" : "pending"}`}>
                  {firmware.is_active ? (firmware.is_stable ? "offered" : "not stable") : "inactive"}
                </span>
              </td>
              <td>{ago(Date.parse(firmware.created_at), now + model.clockOffsetMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Log({ model }: { readonly model: Model }) {
  const [newest] = model.events;
  return (
    <div class="card log">
      <p class="hidden" role="status">
        {newest?.message}
      </p>
      {model.events.length === 0 && <p class="quiet">Nothing has happened so far.</p>}
      <ol>
        {model.events.slice(0, SHOWN_EVENT_COUNT).map((event) => (
          <li key={event.id}>
            <time class="mono" dateTime={event.time}>
              {clock(event.time)}
            </time>
            <span class={`kind ${toneOf(event.kind)}`}>{event.kind.replace(".", " ")}</span>
            <span>{event.message}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function toneOf(kind: string): string {
  if (kind.endsWith(".success")) return "good";
  if (kind.endsWith(".failed")) return "bad";
  return kind.startsWith("update.") ? "busy" : "plain";
}
