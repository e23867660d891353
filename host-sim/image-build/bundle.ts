// Bundles a module file and what it imports into one ES module, as in a virtual device's image. The SDK's modules
// stay outside. It lowers nothing: the engine does that when it starts the bundle, so the same text also runs on XS.

import { readFile } from "node:fs/promises";
import { build, type Plugin, transform } from "esbuild";
import { isSdkModule } from "./specifiers.js";

/** Stands in a bundle where a module begins; the last is the file's own. On a chip modules are apart, and all but the app's main preloaded. */
export const MODULE_MARK = "/*!*/";

export interface BundleOptions {
  /** What the module `mc/config` exports, as in the manifest's "config"; frozen, as mcconfig writes it. */
  readonly config?: object;
  /** The C functions that `mc/ffi` binds, as in the manifests' "ffi"; without them all that the virtual platform has. */
  readonly functions?: readonly string[];
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
    const text = await readFile(file, "utf8");
    return (
      await transform(text, { loader: loaderOf(file), format: "esm", target: "es2023", logLevel: "silent" })
    ).code;
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
    legalComments: "inline",
    charset: "utf8",
    write: false,
    logLevel: "silent",
    plugins: [
      ...(options.functions ? [boundFunctions(options.functions)] : []),
      sdkModules(options.config ?? {}),
      sources(options.replace),
    ],
  });
  return result.outputFiles[0]?.text ?? "";
}

const sdkModules = (config: object): Plugin => ({
  name: "sdk-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^mc\/config$/ }, ({ path }) => ({ path, namespace: "config" }));
    onLoad({ filter: /.*/, namespace: "config" }, () => ({
      contents: `${MODULE_MARK}export default Object.freeze(${JSON.stringify(config)}, true);`,
    }));
    onResolve({ filter: /^[a-z]/ }, ({ path }) => (isSdkModule(path) ? { path, external: true } : undefined));
  },
});

/** `mc/ffi` has the functions of the build's own manifests. Each is an object in the heap of a chip, so others would cost what no chip pays. */
const boundFunctions = (functions: readonly string[]): Plugin => ({
  name: "bound-functions",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^mc\/ffi$/ }, ({ path, namespace }) =>
      namespace === "ffi" ? { path, external: true } : { path, namespace: "ffi" },
    );
    onLoad({ filter: /.*/, namespace: "ffi" }, () => ({
      contents: `${MODULE_MARK}import All from "mc/ffi";
export default function FFI() { return new All(${JSON.stringify(functions.join())}); }`,
    }));
  },
});

/** Marks where modules begin, and takes what is to be used instead of a file. */
const sources = (replace: BundleOptions["replace"]): Plugin => ({
  name: "sources",
  setup({ onLoad }) {
    onLoad({ filter: /\.[mc]?[jt]s$/ }, async ({ path }) => {
      const text = replace?.(path) ?? (await readFile(path, "utf8"));
      // XS knows ES modules alone; esbuild takes a file that neither imports nor exports for CommonJS, unless a package.json says otherwise
      return { contents: `${MODULE_MARK}${text}\nexport {};`, loader: loaderOf(path) };
    });
  },
});

const loaderOf = (path: string) => (/\.[mc]?ts$/.test(path) ? "ts" : "js");
