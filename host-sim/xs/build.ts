// Builds the program that runs firmware in XS: XS's own C sources, out of the npm package @agoric/xsnap whose integrity is pinned
// here, and the C files of native/, by make and cc. With 32-bit libraries (gcc-multilib) its slots have the size that they have on the
// ESP32. Everything lands in build/xs, which is not checked in; nothing of the package's JavaScript or dependencies is used.
//
//   npx tsx host-sim/xs/build.ts

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "@agoric/xsnap@0.15.0";
const INTEGRITY =
  "sha512-ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==";
const BUILD = fileURLToPath(new URL("../../build/xs/", import.meta.url));
const NATIVE = fileURLToPath(new URL("native/", import.meta.url));

export interface XsProgram {
  readonly program: string;
  /** 32 as on the ESP32: a slot is 16 bytes; 64: it is 32 bytes, and figures of memory mean less. */
  readonly bits: 32 | 64;
}

/** Fetches and compiles what is not there yet; a few seconds the first time. @throws Error without a network or a compiler, or on a wrong integrity */
export function buildXs(): XsProgram {
  const sources = fetchSources();
  const bits = canCompile32() ? 32 : 64;
  const out = join(BUILD, `${bits}`);
  mkdirSync(out, { recursive: true });
  const made = spawnSync(
    "make",
    ["-s", "-j2", "-C", NATIVE, `XS=${sources}`, `OUT=${out}`, `BITS=-m${bits}`],
    {
      encoding: "utf8",
    },
  );
  if (made.status !== 0)
    throw new Error(`XS does not compile: ${made.error?.message ?? made.stderr.slice(-2000)}`);
  return { program: join(out, "xs-host"), bits };
}

/** The folder with XS's includes, platforms and sources. */
function fetchSources(): string {
  const folder = join(BUILD, "package");
  const sources = join(folder, "moddable", "xs");
  if (existsSync(sources)) return sources;
  mkdirSync(BUILD, { recursive: true });
  const work = mkdtempSync(join(BUILD, "fetch-"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", work, PACKAGE], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const archive = join(work, readdirSync(work)[0] ?? "");
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found !== INTEGRITY) throw new Error(`${PACKAGE} has integrity ${found}, expected is ${INTEGRITY}`);
  execFileSync("tar", ["xf", archive, "-C", work]);
  renameSync(join(work, "package"), folder);
  rmSync(work, { recursive: true });
  return sources;
}

function canCompile32(): boolean {
  const input = "#include <stdio.h>\nint main(void) { return 0; }\n";
  return spawnSync("cc", ["-m32", "-x", "c", "-", "-o", "/dev/null"], { input }).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { program, bits } = buildXs();
  const slotBytes = bits === 32 ? 16 : 32;
  const hint = bits === 32 ? "as on the ESP32" : "not the ESP32's 16: install gcc-multilib for 32 bits";
  process.stdout.write(`XS of ${PACKAGE}, ${bits}-bit, slots of ${slotBytes} bytes (${hint}): ${program}\n`);
}
