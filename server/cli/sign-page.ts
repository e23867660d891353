// `skyslot release sign-page`: the page that signs releases in a browser without a network. It is made here, from this copy of Skyslot, and
// never by a server: anyone who controls the server could change it.

import type { Command } from "commander";
import { show } from "./output.js";

interface PageFlags {
  readonly out: string;
  readonly check?: string;
  readonly json?: boolean;
}

interface PageFile {
  readonly file: string;
  readonly sha256: string;
  /** Of Skyslot. */
  readonly version: string;
}

export function addSignPageCommand(group: Command): void {
  group
    .command("sign-page")
    .description(
      "write the page that signs in a browser, a single file without network access, and print its SHA-256",
    )
    .option("--out <file>", "file for the page", "sign.html")
    .option("--check <file>", "write nothing; compare this file with the page that would be written")
    .option("--json", "print one JSON object")
    .action((flags: PageFlags) =>
      flags.check === undefined
        ? show(flags, writePage(flags.out), ({ file, sha256 }) => `${file}: SHA-256 ${sha256}`)
        : show(
            flags,
            checkPage(flags.check),
            ({ file, sha256, version }) =>
              `${file}: SHA-256 ${sha256}, as this copy of Skyslot ${version} makes it`,
          ),
    );
}

async function writePage(file: string): Promise<PageFile> {
  const { writeFile } = await import("node:fs/promises");
  const { buildSignPage } = await import("../../release/sign-page/sign-page.js");
  const { html, sha256, version } = await buildSignPage();
  await writeFile(file, html);
  return { file, sha256, version };
}

/** @throws Error if it is another file */
async function checkPage(file: string): Promise<PageFile> {
  const { readFile } = await import("node:fs/promises");
  const { buildSignPage, sha256Of } = await import("../../release/sign-page/sign-page.js");
  const [found, { sha256, version }] = [sha256Of(await readFile(file)), await buildSignPage()];
  if (found !== sha256)
    throw new Error(
      `${file} is not the page that this copy of Skyslot ${version} makes: do not give it your key (its SHA-256 is ${found}, not ${sha256})`,
    );
  return { file, sha256, version };
}
