// Bundles a module file and what it imports into one ES module, as it lies in a virtual device's image. The SDK's modules
// stay outside. It lowers nothing: the engine does that when it starts the bundle, so the same text also runs on XS.

import { readFile } from "node:fs/promises";
import { build, type Plugin, transform } from "esbuild";
import { isSdkModule } from "../modules/specifiers.js";

export interface BundleOptions {
  /** What the module `mc/config` exports, as in the manifest's "config". */
  readonly config?: object;
  /** Smaller syntax and no spaces, as for an image; names stay, so that a stack can be read, unless it is "names". */
  readonly minify?: boolean | "names";
  /** Source to be used instead of a file's own, by the file's path. */
  readonly replace?: (path: string) => string | undefined;
}

/** The bundle's text. @throws Error with esbuild's messages */
export async function bundleModule(file: string, options: BundleOptions = {}): Promise<string> {
  try {
    return await bundle(file, options);
  } catch (error) {
    // esbuild refuses to bundle what XS only throws for when it runs; a single file needs no bundling.
    if (!/Cannot assign to "[^"]+" because it is a constant/.test(String(error))) throw error;
    const loader = /\.[mc]?ts$/.test(file) ? "ts" : "js";
    const text = await readFile(file, "utf8");
    return (await transform(text, { loader, format: "esm", target: "es2023", logLevel: "silent" })).code;
  }
}

async function bundle(file: string, options: BundleOptions): Promise<string> {
  const result = await build({
    entryPoints: [file],
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    minifySyntax: Boolean(options.minify),
    minifyWhitespace: Boolean(options.minify),
    minifyIdentifiers: options.minify === "names",
    legalComments: "none",
    charset: "utf8",
    write: false,
    logLevel: "silent",
    plugins: [sdkModules(options.config ?? {}), ...(options.replace ? [replaced(options.replace)] : [])],
  });
  return result.outputFiles[0]?.text ?? "";
}

const sdkModules = (config: object): Plugin => ({
  name: "sdk-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^mc\/config$/ }, ({ path }) => ({ path, namespace: "config" }));
    onLoad({ filter: /.*/, namespace: "config" }, () => ({
      contents: JSON.stringify(config),
      loader: "json",
    }));
    onResolve({ filter: /^[a-z]/ }, ({ path }) => (isSdkModule(path) ? { path, external: true } : undefined));
  },
});

const replaced = (replace: NonNullable<BundleOptions["replace"]>): Plugin => ({
  name: "replaced",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = replace(path);
      return contents === undefined ? undefined : { contents, loader: "ts" };
    });
  },
});
