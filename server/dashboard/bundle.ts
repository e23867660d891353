// Bundles the dashboard's client in memory. Nothing is written to disk and nothing is fetched.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

export interface ClientBundle {
  readonly script: ClientFile;
  readonly style: ClientFile;
}

export interface ClientFile {
  readonly text: string;
  /** Entity tag of its contents; weak, since they are also sent compressed. */
  readonly etag: string;
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
  const file = (ending: string): ClientFile => {
    const text = result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
    return { text, etag: `W/"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` };
  };
  return { script: file(".js"), style: file(".css") };
}
