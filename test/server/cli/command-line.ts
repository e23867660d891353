// The command line in this process, and a server that it talks to.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { type RunningServer, startServer } from "../../../server/start.js";

export interface CommandLine {
  readonly server: RunningServer;
  readonly folder: string;
  /** The command's output and exit status. */
  skyslot(...args: string[]): Promise<{ readonly out: string; readonly status: unknown }>;
  /** Its output with `--json`, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  json(...args: string[]): Promise<any>;
  /** The error that it throws, with its output; another error if it does not. */
  failure(...args: string[]): Promise<Error & { readonly out?: string }>;
  close(): Promise<void>;
}

export async function openCommandLine(): Promise<CommandLine> {
  const { exitCode } = process;
  const folder = await mkdtemp(join(tmpdir(), "skyslot-cli-"));
  const server = await startServer({ dataDir: folder, port: 0 });
  const skyslot: CommandLine["skyslot"] = async (...args) => {
    let out = "";
    process.exitCode = 0;
    const putBack = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync([...args, "--server", server.url, "--data", folder], { from: "user" });
    } catch (error) {
      throw Object.assign(error as Error, { out });
    } finally {
      putBack();
    }
    return { out, status: process.exitCode };
  };
  return {
    server,
    folder,
    skyslot,
    json: async (...args) => JSON.parse((await skyslot(...args, "--json")).out),
    failure: (...args) =>
      skyslot(...args).then(
        ({ out }) => new Error(`no failure: ${out}`),
        (error: Error) => error,
      ),
    async close() {
      process.exitCode = exitCode;
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
