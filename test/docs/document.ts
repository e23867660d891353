// Turns a document into tests: its blocks of commands run from top to bottom against one server, and print what the document shows.

import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../server/start.js";
import { type Block, isShown, linesToRun, readBlocks } from "./markdown.js";
import { Shell } from "./shell.js";

export interface Stage {
  readonly server: RunningServer;
  /** Where the commands run. */
  readonly folder: string;
  /** How far the server's clock is ahead. */
  readonly clock: { aheadMs: number };
  /** A file that the reader has. */
  put(name: string, content: Uint8Array | string): Promise<void>;
  /** A request to the server, as its administrator. @returns the answer's JSON */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  call(method: string, path: string, body?: object): Promise<any>;
}

export interface DocumentOptions {
  /** What has happened before the first block. @returns variables that the document assumes besides SERVER and TOKEN */
  readonly arrange?: (stage: Stage) => Promise<Readonly<Record<string, string>> | undefined>;
  /** What has happened before the first block under a heading. */
  readonly under?: Readonly<Record<string, (stage: Stage) => Promise<void>>>;
}

const ROOT = new URL("../../", import.meta.url);
/** @param path from the root of the repository */
export const readDocument = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

/** Declares the tests of a document; call it inside `describe`. @returns what they use, for tests behind them */
export function runDocument(
  path: string,
  options: DocumentOptions = {},
): () => { readonly stage: Stage; readonly shell: Shell } {
  let stage: Stage;
  let shell: Shell;
  let home: string;
  const arranged = new Set<string>();
  const blocks = readBlocks(readDocument(path));

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "skyslot-docs-"));
    stage = await openStage(home);
    const variables = await options.arrange?.(stage);
    shell = await Shell.open({
      folder: stage.folder,
      server: stage.server.url,
      dataFolder: join(home, "data"),
      variables: { TOKEN: stage.server.adminToken, ...variables },
    });
  });
  after(async () => {
    await shell?.close();
    await stage?.server.close();
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  });

  for (const heading of Object.keys(options.under ?? {}))
    it(`has a heading "${heading}"`, () => expect(blocks.map((block) => block.heading)).to.include(heading));

  for (const block of blocks) {
    const { marker } = block;
    if (marker?.kind === "not run" || (block.language !== "sh" && marker?.kind !== "save")) continue;
    const name = block.text.split("\n").find((line) => !line.startsWith("#")) ?? "";
    it(`line ${block.line}: ${name.slice(0, 90)}`, async () => {
      if (!arranged.has(block.heading)) {
        arranged.add(block.heading);
        await options.under?.[block.heading]?.(stage);
      }
      if (marker?.kind === "save") await stage.put(marker.file, `${block.text}\n`);
      else await runBlock(block, shell, path);
    });
  }
  return () => ({ stage, shell });
}

async function runBlock(block: Block, shell: Shell, path: string): Promise<void> {
  const { output, status } = await shell.run(linesToRun(block));
  const where = `${path}:${block.line}`;
  if (block.marker?.kind === "fails") expect(status, `${where} does not fail: ${output}`).not.to.equal(0);
  else expect(status, `${where} fails: ${output}`).to.equal(0);
  if (block.output === undefined) return;
  expect(isShown(output, block.output), `${where} prints\n${output}\nand the document shows\n${block.output}`)
    .to.be.true;
}

async function openStage(home: string): Promise<Stage> {
  const folder = join(home, "here");
  await mkdir(folder);
  const clock = { aheadMs: 0 };
  const server = await startServer({
    dataDir: join(home, "data"),
    port: 0,
    now: () => Date.now() + clock.aheadMs,
  });
  return {
    server,
    folder,
    clock,
    async put(name, content) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    },
    async call(method, path, body) {
      const answer = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          ...(body && !(body instanceof FormData) ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body: body instanceof FormData ? body : JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
  };
}
