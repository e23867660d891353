// The fenced blocks of a Markdown document, and what a comment in front of one says about running it. A comment is not shown to readers.
//
//   <!-- not run: the reason -->   the block cannot be run where the tests run
//   <!-- except: server, sim -->   these commands of skyslot are left out: they run until they are stopped
//   <!-- fails -->                 its last command is to fail
//   <!-- save: client.mjs -->      not a command: a file that later blocks use
//
// A `text` block right behind a block of commands is its output; `…` stands for anything.

export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first line in the document. */
  readonly line: number;
  /** The nearest heading above it, without its #. */
  readonly heading: string;
  readonly marker: Marker | undefined;
  /** What its commands print; absent: the document does not show it. */
  readonly output: string | undefined;
}

type Marker =
  | { readonly kind: "not run"; readonly reason: string }
  | { readonly kind: "except"; readonly commands: readonly string[] }
  | { readonly kind: "fails" }
  | { readonly kind: "save"; readonly file: string };

const FENCE = /^```(\w*)$/;

/** @throws Error if a fence is not closed, or a comment in front of a block is none of the above */
export function readBlocks(markdown: string): readonly Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let heading = "";
  let comment = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const language = FENCE.exec(line)?.[1];
    if (language === undefined) {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      if (line.trim() !== "") comment = /^<!-- (.+) -->$/.exec(line)?.[1] ?? "";
      continue;
    }
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`the fence in line ${at + 1} is not closed`);
    const text = lines.slice(at + 1, end).join("\n");
    const output = outputBehind(lines, end);
    if (language !== "text")
      blocks.push({ language, text, line: at + 2, heading, marker: readMarker(comment, at + 1), output });
    comment = "";
    at = end;
  }
  return blocks;
}

function readMarker(comment: string, line: number): Marker | undefined {
  if (comment === "") return undefined;
  if (comment === "fails") return { kind: "fails" };
  const [, kind, value = ""] = /^(not run|except|save): (.+)$/.exec(comment) ?? [];
  if (kind === "not run") return { kind, reason: value };
  if (kind === "except") return { kind, commands: value.split(", ") };
  if (kind === "save") return { kind, file: value };
  throw new Error(`line ${line}: "${comment}" says nothing about a block`);
}

/** The lines of a block that are run. */
export function linesToRun({ text, marker }: Block): string {
  if (marker?.kind !== "except") return text;
  const left = new RegExp(`^(npx )?skyslot (${marker.commands.join("|")})\\b`);
  return text
    .split("\n")
    .filter((line) => !left.test(line))
    .join("\n");
}

function outputBehind(lines: readonly string[], fenceEnd: number): string | undefined {
  const next = lines.findIndex((line, at) => at > fenceEnd && line.trim() !== "");
  if (lines[next] !== "```text") return undefined;
  return lines.slice(next + 1, lines.indexOf("```", next + 1)).join("\n");
}

/** Whether a program has printed what a document shows. Runs of blanks count as one. */
export function isShown(output: string, shown: string): boolean {
  const pattern = shown
    .trim()
    .split("…")
    .map((part) => literally(part).replaceAll(/\s+/g, "\\s+"))
    .join("[^]*?");
  return new RegExp(`^\\s*${pattern}\\s*$`).test(output);
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
