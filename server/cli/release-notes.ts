// `skyslot release notes`: notes for people. Neither signed nor sent to devices, so they can be changed at any time.

import type { Command } from "commander";
import type { FirmwareView } from "../api/release-views.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, UsageError, wholeNumber } from "./output.js";

interface NotesFlags extends ServerFlags {
  readonly file?: string;
  readonly clear?: boolean;
  readonly json?: boolean;
}

export function addNotesCommand(group: Command): void {
  withServer(group.command("notes <id> [text]").description("show or set the notes of a release"))
    .option("--file <file>", "read the notes from this file")
    .option("--clear", "remove the notes")
    .option("--json", "print one JSON object")
    .action(notes);
}

async function notes(id: string, text: string | undefined, flags: NotesFlags): Promise<void> {
  const path = `/api/ota/admin/firmware/${wholeNumber(id)}`;
  const wanted = await readWanted(text, flags);
  const request = wanted === undefined ? {} : jsonRequest("PATCH", { release_notes: wanted });
  const firmware = (await callServer(flags, path, request)) as FirmwareView;
  if (flags.json) printJson({ id: firmware.id, release_notes: firmware.release_notes });
  else if (firmware.release_notes !== null) printLine(firmware.release_notes);
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
