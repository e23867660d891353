// The job that was finished last, as it is kept in NVS: what its owner can have undone, as long as every device still runs what the job gave it,
// and would still take the word for it (update/undo.ts). Undoes nothing itself.

import { DAY_SECONDS } from "../clock.js";
import { readJsonObject, writeJson } from "../json.js";
import { type Job, readMembers, writeMembers } from "./job.js";
import type { JobComponent, SystemJob } from "./vocabulary.js";

/** NVS key. */
export const UNDOABLE_KEY = "system.undo";
/** Of two devices, with room: of more it is not kept. */
export const MAX_UNDOABLE_LENGTH = 500;
/** A day less than the devices themselves allow. */
const UNDO_SECONDS = 6 * DAY_SECONDS;

export interface Undoable extends Pick<SystemJob, "version" | "components" | "isUploaded"> {
  /** Seconds since 1970; 0: the time was not known. */
  readonly until: number;
}

/** @param time seconds since 1970; 0: not known. `undefined`: one of them had its image before, and has nothing to go back to. */
export function undoableOf({ version, members, isUploaded }: Job, time: number): Undoable | undefined {
  if (members.some(({ had, isLeft }) => had || isLeft)) return undefined;
  const components = members.map(({ id, image, step }): JobComponent => ({ id, image, step }));
  const undoable: Undoable = {
    version,
    components,
    until: time === 0 ? 0 : time + UNDO_SECONDS,
    ...(isUploaded ? { isUploaded } : {}),
  };
  return writeUndoable(undoable).length > MAX_UNDOABLE_LENGTH ? undefined : undoable;
}

/** @param time seconds since 1970; 0: not known */
export const isOverdue = ({ until }: Undoable, time: number): boolean => until > 0 && time > until;

export const writeUndoable = ({ components, ...others }: Undoable): string =>
  writeJson({ ...others, ...writeMembers(components) });

/** What cannot be read cannot be undone. */
export function readUndoable(text: string | undefined): Undoable | undefined {
  const value = text === undefined ? undefined : readJsonObject(text);
  const version = value?.get("version");
  const until = value?.get("until");
  const components = readMembers(value?.get("images"), value?.get("members"));
  if (typeof version !== "string" || typeof until !== "number" || !components) return undefined;
  return {
    version,
    until,
    components,
    ...(value?.get("isUploaded") === true ? { isUploaded: true } : {}),
  };
}
