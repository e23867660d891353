// The JavaScript half of a firmware's build with the Moddable SDK: mcconfig writes a makefile, tsc compiles and checks, xsc and xsl make C
// of it. ESP-IDF is not needed. mcconfig's makefile would run tsc once for each file; here all files of a build are compiled at once and put where
// the makefile looks for them, and builds whose TypeScript is the same share what was compiled. A file that was left out
// would be compiled by the makefile's own rule.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

export interface Build {
  /** Absolute path of the app's manifest. */
  readonly manifest: string;
  /** As for mcconfig's -p. */
  readonly platform: string;
}

/** What a build produces. */
export interface BuiltFirmware {
  /** Texts of the makefile and of mc.xs.c, and what make printed. */
  readonly makefile: string;
  readonly source: string;
  readonly output: string;
  /** Declarations of the C functions that the manifest binds, as mcconfig writes them for `mc/ffi`. */
  readonly ffi: string;
}

/** Why a build failed, with what the tool printed. */
export class BuildError extends Error {}

interface TsConfig {
  readonly compilerOptions: {
    readonly outDir?: string;
    readonly paths?: Readonly<Record<string, readonly string[]>>;
  };
  readonly files?: readonly string[];
}

/** Builds with one SDK, in folders below one that the caller creates and removes. */
export class FirmwareBuilder {
  readonly #root: string;
  readonly #work: string;
  readonly #idfVersion: string;
  readonly #env: NodeJS.ProcessEnv;
  /** Folders of compiled TypeScript, by what went into them. */
  readonly #compiled = new Map<string, Promise<string>>();
  #count = 0;

  constructor(root: string, moddable: string, work: string) {
    this.#root = root;
    this.#work = work;
    // an empty sdkconfig.h stands for ESP-IDF's
    writeFileSync(join(work, "sdkconfig.h"), "");
    this.#idfVersion = (
      JSON.parse(readFileSync(join(moddable, "build/devices/esp32/manifest.json"), "utf8")) as {
        build: { EXPECTED_ESP_IDF: string };
      }
    ).build.EXPECTED_ESP_IDF;
    const tools = toolsFolder(moddable);
    const path = [tools, join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
    this.#env = { ...process.env, MODDABLE: moddable, IDF_PATH: work, PATH: path };
  }

  /** @throws BuildError */
  async build({ manifest, platform }: Build): Promise<BuiltFirmware> {
    const out = join(this.#work, `${++this.#count}`);
    mkdirSync(out);
    await this.#run("mcconfig", ["-p", platform, "-o", out, manifest]);
    const found = readdirSync(join(out, "tmp"), { recursive: true, encoding: "utf8" }).find((file) =>
      /(^|\/)release\/[^/]+\/makefile$/.test(file),
    );
    if (!found) throw new BuildError("mcconfig wrote no makefile");
    const folder = dirname(join(out, "tmp", found));
    await this.#layTypeScript(folder);
    const makefile = join(folder, "makefile");
    const header = join(this.#work, "sdkconfig.h");
    const output = await this.#run("make", [
      "-f",
      makefile,
      `IDF_VERSION=${this.#idfVersion}`,
      `SDKCONFIG_H=${header}`,
      // which make must not remake
      "-o",
      header,
      join(folder, "mc.xs.c"),
      join(folder, "mc.resources.c"),
    ]);
    const text = (name: string) => readFileSync(join(folder, name), "utf8");
    return { makefile: text("makefile"), source: text("mc.xs.c"), output, ffi: text("mc.ffi.d.ts") };
  }

  /** Puts what tsc makes of a build's files where its makefile looks for them, newer than what they depend on. */
  async #layTypeScript(folder: string): Promise<void> {
    const configs = readdirSync(join(folder, "modules"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith("-tsconfig.json"))
      .map((file) => readJson<TsConfig>(join(folder, "modules", file)));
    const files = configs.map(({ files }) => files![0]!).sort();
    const compiled = await this.#compile(folder, files);
    for (const { files, compilerOptions } of configs) {
      const path = files![0]!.replace(/\.ts$/, ".js");
      const target = join(compilerOptions.outDir!, path);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(compiled, path), target);
    }
  }

  #compile(folder: string, files: readonly string[]): Promise<string> {
    const { compilerOptions } = readJson<TsConfig>(join(folder, "modules/tsconfig-base.json"));
    // tsc ignores JavaScript files, which are all that differs from chip to chip
    const paths = Object.fromEntries(
      Object.entries(compilerOptions.paths ?? {}).filter(([, [path]]) => hasTypes(path!)),
    );
    const outDir = join(folder, "tsc-all");
    const options = { ...compilerOptions, paths, rootDir: "/", outDir, sourceMap: false };
    // of two declarations of a module tsc takes the first: for `mc/ffi` what this build binds, else ours, which are more precise than mcconfig's
    const bound = join(folder, "mc.ffi.d.ts");
    const declarations = Object.values(paths)
      .map(([path]) => `${path}.d.ts`)
      .filter((path) => path.startsWith(this.#root) && existsSync(path));
    const config = { compilerOptions: options, files: [bound, ...new Set(declarations), ...files] };
    const ffi = readFileSync(bound, "utf8");
    const key = JSON.stringify([config, ffi]).replaceAll(folder, "");
    let compiling = this.#compiled.get(key);
    if (!compiling) {
      const path = join(folder, "tsconfig-all.json");
      writeFileSync(path, JSON.stringify(config));
      compiling = this.#run("tsc", ["-p", path]).then(() => outDir);
      this.#compiled.set(key, compiling);
    }
    return compiling;
  }

  #run(command: string, parameters: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { env: this.#env, cwd: this.#root, maxBuffer: 2 ** 26 };
      execFile(command, parameters, options, (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`;
        if (!error) resolve(output);
        else reject(new BuildError(`${command} failed: ${output.trim() || error.message}`));
      });
    });
  }
}

/** Where the SDK's host tools are, built or not. */
export const toolsFolder = (moddable: string): string =>
  join(moddable, "build/bin", process.platform === "darwin" ? "mac" : "lin", "release");

const hasTypes = (path: string) => existsSync(`${path}.ts`) || existsSync(`${path}.d.ts`);

const readJson = <T>(path: string) => JSON.parse(readFileSync(path, "utf8")) as T;
