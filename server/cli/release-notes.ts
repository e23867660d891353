// `skyslot release notes`: notes for people. Neither signed nor sent to devices, so they can be changed at any time.

import type { Command } from "commander";
import type { FirmwareView } from "../api/release-views.js";
import { callServer, commandsOf, type ServerFlags } from "./client.js";
import { printLines, show, UsageError, wholeNumber } from "./output.js";

interface NotesFlags extends ServerFlags {
  readonly file?: string;
  readonly clear?: boolean;
}

export function addNotesCommand(group: Command): void {
  commandsOf(group)("notes <id> [text]", "show or set the notes of a release")
    .option("--file <file>", "read the notes from this file")
    .option("--clear", "remove the notes")
    .action(notes);
}

async function notes(id: string, text: string | undefined, flags: NotesFlags): Promise<void> {
  const path = `/api/ota/admin/firmware/${wholeNumber(id)}`;
  const wanted = await readWanted(text, flags);
  const firmware =
    wanted === undefined
      ? await callServer<FirmwareView>(flags, `GET ${path}`)
      : await callServer<FirmwareView>(flags, `PATCH ${path}`, { release_notes: wanted });
  const { id: number, release_notes } = firmware;
  await show(flags, { id: number, release_notes }, () => {
    if (release_notes !== null) printLines(release_notes);
  });
}

/** `undefined`: unchanged, only shown. */
async function readWanted(
  text: string | undefined,
  { file, clear }: NotesFlags,
): Promise<string | null | undefined> {
  if ([text, file, clear].filter((given) => given !== undefined).length > 1)
    throw new UsageError("give only one of: the notes, --file, --clear");
  if (clear) return null;
  if (file === undefined) return text;
  const { readFile } = await import("node:fs/promises");
  return (await readFile(file, "utf8")).trim();
}
