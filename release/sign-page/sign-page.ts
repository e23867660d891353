// Builds the page that signs releases without a network, as one HTML file. The same version makes the same bytes everywhere, so that a
// saved file can be compared with what one's own copy of Skyslot makes. Its policy allows its own script and style, and no request.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface SignPage {
  readonly html: string;
  /** Of the file, as hex digits. */
  readonly sha256: string;
  /** Of Skyslot. */
  readonly version: string;
}

export async function buildSignPage(): Promise<SignPage> {
  const { script, style } = await bundle();
  const { version } = JSON.parse(await readText(new URL("../../package.json", import.meta.url)));
  const template = await readText(new URL("./page.html", import.meta.url));
  const html = fill(template, {
    "{{policy}}": policyFor(script, style),
    "{{version}}": version,
    "<style></style>": `<style>${style}</style>`,
    "<script></script>": `<script>${script}</script>`,
  });
  return { html, version, sha256: sha256Of(html) };
}

export const sha256Of = (file: string | Uint8Array): string =>
  createHash("sha256").update(file).digest("hex");

/** The script and style by their hashes; everything else is forbidden, requests of every kind by name as well. */
function policyFor(script: string, style: string): string {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
  ].join("; ");
}

/** @throws Error unless each place is there once */
function fill(template: string, texts: Readonly<Record<string, string>>): string {
  let filled = template;
  for (const [place, text] of Object.entries(texts)) {
    const [before, after, ...more] = filled.split(place);
    if (after === undefined || more.length > 0) throw new Error(`page.html does not have ${place} once`);
    filled = before + text + after;
  }
  return filled;
}

/** Without the paths of files, which differ between computers. */
async function bundle(): Promise<{ readonly script: string; readonly style: string }> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: ["./client/main.ts", "./client/style.css"].map((path) =>
      fileURLToPath(new URL(path, import.meta.url)),
    ),
    outdir: "out",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
  });
  const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? "";
  return { script: text(".js"), style: text(".css") };
}

/** Whatever line ends a checkout has. */
const readText = async (url: URL): Promise<string> => (await readFile(url, "utf8")).replaceAll("\r\n", "\n");
