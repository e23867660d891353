// `skyslot release notes`: what people are told of a release. Neither signed nor sent to devices, so it may be changed at any time.

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
  withServer(group.command("notes <id> [text]").description("show the notes of a release, or write them"))
    .option("--file <file>", "write what stands in this file")
    .option("--clear", "take them away")
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

/** `undefined`: they stay, and are shown. */
async function readWanted(
  text: string | undefined,
  { file, clear }: NotesFlags,
): Promise<string | null | undefined> {
  if ([text, file, clear].filter((told) => told !== undefined).length > 1)
    throw new UsageError("tell the notes, --file or --clear, not several of them");
  if (clear) return null;
  if (file === undefined) return text;
  const { readFile } = await import("node:fs/promises");
  return (await readFile(file, "utf8")).trim();
}
