// Runs unchanged mocha test files in XS: bundles them with chai and mini-mocha, runs the bundle, and returns the result of each
// test. Node's own modules that they or their helpers import are provided by Node over the bridge.

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { XsBridge } from "../../host-sim/xs/bridge.js";

export interface Outcome {
  readonly name: string;
  /** Empty if the test passed. */
  readonly error: string;
}

const RUNNER = fileURLToPath(new URL("mini-mocha.ts", import.meta.url));
const STAND_INS = fileURLToPath(new URL("node-stand-ins.ts", import.meta.url));

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** More rounds of promise jobs than any test needs. */
const ROUND_COUNT_MAX = 10_000;

export async function runTestsInXs(files: readonly string[], program: string): Promise<Outcome[]> {
  const bundle = await bundleTests(files);
  const outcomes: Outcome[] = [];
  const modules: Readonly<Record<string, object>> = {
    "skyslot:report": { finished: (name: string, error: string) => void outcomes.push({ name, error }) },
    "skyslot:node": {
      encode: (text: string, encoding: BufferEncoding) => new Uint8Array(Buffer.from(text, encoding)),
      decode: (bytes: Uint8Array, encoding: BufferEncoding) => Buffer.from(bytes).toString(encoding),
      decodeStrictly: (bytes: Uint8Array) => strictDecoder.decode(bytes),
      encodeForm: (fields: Record<string, string>) => new URLSearchParams(fields).toString(),
    },
    "node:crypto": { createHash: hashOf, createHmac: macOf, pbkdf2Sync: derivedBy },
  };
  let jobsWait = false;
  const bridge = new XsBridge(
    {
      moduleOf: (specifier) => modules[specifier],
      uptimeMs: () => 0,
      random: () => 0.5,
      trace: (text) => process.stdout.write(text),
      promiseJobsQueued: () => {
        jobsWait = true;
      },
      isGlobal: () => false,
      isForFirmware: (error) => error instanceof Error,
    },
    { program, keepsNames: true },
  );
  try {
    bridge.run(bundle);
    for (let round = 0; jobsWait; round++) {
      if (round === ROUND_COUNT_MAX) throw new Error(`promise jobs wait after ${ROUND_COUNT_MAX} rounds`);
      jobsWait = false;
      bridge.runPromiseJobs();
    }
  } finally {
    bridge.close();
  }
  return outcomes;
}

/** Like Node's, but with own methods, which the bridge requires. */
function hashOf(name: string) {
  const hash = createHash(name);
  return {
    update(data: Uint8Array | string) {
      hash.update(data);
      return this;
    },
    digest: (encoding?: "hex") => (encoding ? hash.digest(encoding) : new Uint8Array(hash.digest())),
  };
}

/** Likewise. */
function macOf(name: string, key: string) {
  const mac = createHmac(name, key);
  return {
    update(text: string) {
      mac.update(text);
      return this;
    },
    digest: (encoding: "hex") => mac.digest(encoding),
  };
}

/** Likewise. */
function derivedBy(password: string, salt: string, rounds: number, length: number, hash: string) {
  const key = pbkdf2Sync(password, salt, rounds, length, hash);
  return { toString: (encoding: "hex") => key.toString(encoding) };
}

async function bundleTests(files: readonly string[]): Promise<string> {
  const imports = files.map((file) => `import ${JSON.stringify(file)};`).join("\n");
  const result = await build({
    stdin: {
      contents: `${imports}\nimport { run } from ${JSON.stringify(RUNNER)};\nrun();`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    inject: [RUNNER, STAND_INS],
    external: ["skyslot:*", "node:*"],
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}
