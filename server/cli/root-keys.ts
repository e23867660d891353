// `skyslot keys`, the part about trust roots: the documents that say whose signatures count. Roots are files that go from holder to holder of a
// root key, without a network; each adds a signature. Only `show` and `revoke` ask a server.

import type { Command } from "commander";
import type { Root } from "../../firmware/core/trust/root.js";
import type { RootFile } from "../../release/root.js";
import type { Role, RootChanges } from "../../release/root-draft.js";
import type { RootReport } from "../../release/root-report.js";
import { defined } from "../shared/defined.js";
import { createdNow, readTime } from "./manifest-files.js";
import { printLine, show, UsageError, wholeNumber, yellow } from "./output.js";
import { printRoot, readPoint, readPrevious, readRootFile, rootName, writeRootFile } from "./root-files.js";
import { readPrivateKeys, readSigningKey, SIGNER_HELP } from "./signing-key.js";

interface Json {
  readonly json?: boolean;
}
interface SignersFlags extends Json {
  readonly key?: readonly string[];
  readonly out?: string;
}
export interface FirstFlags extends SignersFlags {
  readonly rootKey?: readonly string[];
  readonly releaseKey?: readonly string[];
  readonly freshnessKey?: readonly string[];
  readonly threshold?: number;
  readonly releaseThreshold?: number;
  readonly minSecurityVersion?: number;
  readonly expires?: string;
}
export interface RotateFlags extends SignersFlags {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly threshold?: number;
  readonly releaseThreshold?: number;
  readonly minSecurityVersion?: number;
  readonly fastForward?: readonly string[];
  readonly expires?: string;
}
interface SignFlags extends Json {
  readonly key: readonly string[];
  readonly signer?: string;
  readonly previous?: string;
}

/** A root in a file, for programs. */
export interface WrittenRoot extends RootReport {
  readonly file: string;
}

const DEFAULT_EXPIRY = "365d";
const EXPIRES_HELP = `last day (UTC) or time at which devices install with it, or days from now (default: ${DEFAULT_EXPIRY})`;

/** Options of `keys init --root`. */
export const withFirstRootOptions = (command: Command): Command =>
  command
    .option(
      "--root",
      `write the first trust root instead (default: ${rootName(1)}), of public keys that are there`,
    )
    .option("--root-key <file...>", "with --root: public keys, 1 to 5, that sign roots")
    .option("--release-key <file...>", "with --root: public keys, at most 8, that sign releases")
    .option(
      "--freshness-key <file...>",
      "with --root: public keys, at most 3, of servers that state what is new",
    )
    .option("--key <file...>", "with --root: private root keys that sign it at once");

/** Options of each new root. */
export const withRootOptions = (command: Command): Command =>
  command
    .option("--threshold <n>", "signatures that the next root needs, by different root keys", wholeNumber)
    .option("--release-threshold <n>", "signatures that a release needs, 1 or 2", wholeNumber)
    .option("--min-security-version <n>", "least security version of releases; never falls", wholeNumber)
    .option("--expires <time>", EXPIRES_HELP);

export function addRootCommands(keys: Command): void {
  keys
    .command("sign-root <file>")
    .description(
      "add signatures to a trust root; each holder of a root key does so with the same file, in any order",
    )
    .requiredOption("--key <file...>", "private root keys; with --signer the public one")
    .option("--signer <command>", SIGNER_HELP)
    .option(
      "--previous <file>",
      "the root before, for keys that are only in that one (default: root-N.json beside it)",
    )
    .option("--json", "print one JSON object")
    .action((file: string, flags: SignFlags) => showWritten(flags, signRootFile(file, flags)));
  withRootOptions(keys.command("rotate <file>"))
    .description("write the next trust root of a root: with other keys, thresholds, or a later expiry")
    .option("--add <role=file...>", "add a public key as root, release or freshness key")
    .option("--remove <role=key...>", "remove a key: its id, or the first characters of it")
    .option(
      "--fast-forward <type=sequence...>",
      "let releases of a type count anew from a sequence, whatever version its devices run",
    )
    .option("--key <file...>", "private root keys that sign it at once")
    .option("--out <file>", "file for it (default: root-N.json beside FILE)")
    .option("--json", "print one JSON object")
    .action((file: string, flags: RotateFlags) => showWritten(flags, rotate(file, flags)));
}

const showWritten = (flags: Json, work: Promise<WrittenRoot>): Promise<void> =>
  show(flags, work, async (written) => {
    const { describeMissing } = await import("../../release/root-report.js");
    printLine(`${written.file}:`);
    printRoot(written, describeMissing(written));
    warnOfLoss(written);
  });

/** Nobody may be able to rotate once a single key is lost. */
function warnOfLoss({ keys, threshold }: RootReport): void {
  const count = keys.filter(({ roles }) => roles.includes("root")).length;
  if (count === threshold)
    printLine(
      yellow(
        `all ${count} root keys have to sign: if one of them is lost, no root can follow. Add root keys, or lower the threshold`,
      ),
    );
}

/** `skyslot keys init --root`. @throws UsageError, KeyError, ReleaseError */
export async function initRoot(flags: FirstFlags): Promise<void> {
  const { rootKey = [], releaseKey = [], freshnessKey = [], threshold } = flags;
  if (rootKey.length === 0 || releaseKey.length === 0)
    throw new UsageError(
      "a root names public keys that are there: --root-key FILE … and --release-key FILE …",
    );
  if (threshold === undefined && rootKey.length > 1)
    throw new UsageError(`--threshold is missing: how many of ${rootKey.length} root keys have to sign`);
  const { draftRoot } = await import("../../release/root-draft.js");
  const points = (files: readonly string[]) => Promise.all(files.map(readPoint));
  const draft = await draftRoot({
    version: 1,
    root: await points(rootKey),
    release: await points(releaseKey),
    freshness: await points(freshnessKey),
    threshold: threshold ?? 1,
    releaseThreshold: thresholdOf(flags.releaseThreshold) ?? 1,
    minSecurityVersion: flags.minSecurityVersion ?? 0,
    fastForward: [],
    expires: await expiryOf(flags),
  });
  await showWritten(flags, writeNew(draft, flags.out ?? rootName(1), flags, undefined));
}

/** The root that follows the one in a file. @throws UsageError, KeyError, ReleaseError */
export async function rotate(file: string, flags: RotateFlags): Promise<WrittenRoot> {
  const { dirname, join } = await import("node:path");
  const { nextRoot } = await import("../../release/root-draft.js");
  const held = await readRootFile(file);
  await requireWhole(file, held);
  const changes: RootChanges = {
    expires: await expiryOf(flags),
    add: await Promise.all(
      (flags.add ?? []).map(async (text) => {
        const [role, key] = splitRole(text, "FILE");
        return [role, await readPoint(key)] as const;
      }),
    ),
    remove: (flags.remove ?? []).map((text) => splitRole(text, "KEY")),
    fastForward: (flags.fastForward ?? []).map(readFastForward),
    ...defined({
      threshold: flags.threshold,
      releaseThreshold: thresholdOf(flags.releaseThreshold),
      minSecurityVersion: flags.minSecurityVersion,
    }),
  };
  const draft = await nextRoot(held.root, changes);
  const out = flags.out ?? join(dirname(file), rootName(draft.root.version));
  return writeNew(draft, out, flags, held.root);
}

/** Nothing follows a root that no device takes. */
async function requireWhole(file: string, { root, text }: RootFile): Promise<void> {
  const { refusal, verifyRoot } = await import("../../release/root.js");
  const previous = await readPrevious(file, root, undefined);
  if (previous || root.version === 1) await verifyRoot(text, previous);
  else if (JSON.parse(text).signatures.length === 0) throw refusal(`${file} is not signed yet`);
}

async function writeNew(
  draft: RootFile,
  out: string,
  { key = [] }: SignersFlags,
  previous: Root | undefined,
): Promise<WrittenRoot> {
  const { signRoot } = await import("../../release/root.js");
  const { describeRoot } = await import("../../release/root-report.js");
  let file = draft;
  for (const one of await readPrivateKeys(key)) file = await signRoot(file, one, previous);
  await writeRootFile(out, file.text, true);
  return { file: out, ...(await describeRoot(file, previous)) };
}

async function signRootFile(path: string, flags: SignFlags): Promise<WrittenRoot> {
  const { signRoot } = await import("../../release/root.js");
  const { describeRoot } = await import("../../release/root-report.js");
  let file = await readRootFile(path);
  const previous = await readPrevious(path, file.root, flags.previous);
  for (const key of await signingKeys(flags)) file = await signRoot(file, key, previous);
  await writeRootFile(path, file.text, false);
  return { file: path, ...(await describeRoot(file, previous)) };
}

async function signingKeys({ key, signer }: SignFlags) {
  if (signer === undefined) return readPrivateKeys(key);
  const [only, ...more] = key;
  if (only === undefined || more.length > 0)
    throw new UsageError("--signer signs with one key: --key is its public one");
  return [await readSigningKey({ key: only, signer })];
}

const expiryOf = ({ expires = DEFAULT_EXPIRY }: { readonly expires?: string }): Promise<number> =>
  readTime(expires, createdNow());

function thresholdOf(count: number | undefined): 1 | 2 | undefined {
  if (count === undefined || count === 1 || count === 2) return count;
  throw new UsageError(`a release needs 1 or 2 signatures, not ${count}`);
}

function splitRole(text: string, what: string): readonly [role: Role, value: string] {
  const [, role, value] = /^(root|release|freshness)=(.+)$/s.exec(text) ?? [];
  if (value === undefined)
    throw new UsageError(`"${text}" is not root=${what}, release=${what} or freshness=${what}`);
  return [role as Role, value];
}

function readFastForward(text: string) {
  const [, type, sequence] = /^([\w.-]{1,64})=(\d{1,10})$/.exec(text) ?? [];
  if (type === undefined) throw new UsageError(`"${text}" is not TYPE=SEQUENCE`);
  return { type, sequence: Number(sequence) };
}
