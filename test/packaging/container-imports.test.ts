// The container image is complete: everything that the command can reach is in a folder that is copied into it, and
// every package that is imported is one that `npm ci --omit=dev` installs.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";
import { build } from "esbuild";

/** Pages are bundled when they are first needed. */
const ENTRIES = ["bin/skyslot.js", "server/dashboard/client/main.tsx", "release/sign-page/client/main.ts"];
const FILE_URL = /new URL\(\s*["'`]([^"'`$]+)["'`],\s*import\.meta\.url\)/g;
/** The root folder, and one that is created by tools that the image does not have. */
const NO_SOURCES: readonly string[] = [".", "build"];

const topOf = (path: string): string => path.split("/")[0] ?? "";
const packageOf = (name: string): string =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

/** Files that are not imported but named, such as a thread's first module. */
async function namedIn(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8");
  return [...text.matchAll(FILE_URL)].map(([, name = ""]) => normalize(join(dirname(path), name)));
}

interface Reached {
  readonly files: ReadonlySet<string>;
  readonly named: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

async function reachFrom(entries: readonly string[]): Promise<Reached> {
  const [files, named, packages] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let next = entries;
  while (next.length > 0) {
    const { metafile } = await build({
      entryPoints: [...next],
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      outdir: "out",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const found: string[] = [];
    for (const [path, { imports }] of Object.entries(metafile.inputs)) {
      files.add(path);
      for (const { path: name, external } of imports)
        if (external && !isBuiltin(name)) packages.add(packageOf(name));
      for (const other of await namedIn(path)) {
        named.add(other);
        found.push(other);
      }
    }
    next = [...new Set(found)].filter(
      (path) => /\.[jt]sx?$/.test(path) && existsSync(path) && !files.has(path),
    );
  }
  return { files, named, packages };
}

describe("what the container's image needs", () => {
  let reached: Reached;
  let copied: readonly string[];

  before(async () => {
    reached = await reachFrom(ENTRIES);
    const dockerfile = await readFile("Dockerfile", "utf8");
    copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = ""]) =>
      paths.split(" "),
    );
  });

  it("is searched in the whole command", () => {
    expect([...reached.files]).to.include.members([
      "server/cli/main.ts",
      "server/start.ts",
      "server/store/sql/sqlite-thread.js",
      "host-sim/desk/desk.ts",
      "firmware/core/wire.ts",
    ]);
  });

  it("is in folders that are copied into it", () => {
    const outside = [...reached.files, ...reached.named].filter((path) => !copied.includes(topOf(path)));
    expect(outside.filter((path) => !NO_SOURCES.includes(topOf(path)))).to.deep.equal([]);
    expect(copied, "how the pages' JSX is compiled").to.include("tsconfig.json");
  });

  it("comes from packages that are no development dependencies", async () => {
    const { dependencies } = JSON.parse(await readFile("package.json", "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    expect([...reached.packages].filter((name) => !(name in dependencies))).to.deep.equal([]);
    expect([...reached.packages]).to.include.members(["fastify", "better-sqlite3", "pg", "preact", "tsx"]);
  });
});
