// What happened to a device, newest first.

import type { EventView } from "../../../events/event-view.js";
import { LogLines } from "../log.js";
import { Problem } from "../parts/notes.js";
import { Older, useOlder } from "../parts/older.js";
import { ask } from "../session.js";

/** Lines of one answer. */
export const TIMELINE_LENGTH = 100;

interface TimelineProps {
  readonly path: string;
  readonly newest: readonly EventView[];
  readonly problem: string;
}

/** New events appear automatically; older ones are loaded on request. */
export function Timeline({ path, newest, problem }: TimelineProps) {
  const { items, ...older } = useOlder(newest, TIMELINE_LENGTH, async (before) => {
    const { events } = await ask<{ readonly events: readonly EventView[] }>(
      "GET",
      `${path}/timeline?limit=${TIMELINE_LENGTH}&before=${before}`,
    );
    return events;
  });
  return (
    <div class="card timeline">
      <LogLines events={items} isOfDevice />
      <Problem text={problem || older.action.problem} />
      <Older {...older} />
    </div>
  );
}
