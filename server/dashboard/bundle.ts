// Bundles the dashboard's client in memory. Nothing is written to disk and nothing is fetched.

import { fileURLToPath } from "node:url";

export interface ClientBundle {
  readonly script: string;
  readonly style: string;
}

export async function bundleClient(): Promise<ClientBundle> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [fileURLToPath(new URL("./client/main.tsx", import.meta.url))],
    outdir: "out",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  });
  const text = (ending: string) => result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
  return { script: text(".js"), style: text(".css") };
}
