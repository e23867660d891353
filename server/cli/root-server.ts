// The commands about trust roots that talk to a server: publish one, show what is there, and revoke a release key, with what that means for the
// releases and devices of a server. A server's answers are shown and never signed: what is rotated is the holder's own file.

import type { Static } from "@sinclair/typebox";
import type { Command } from "commander";
import type { RootsView, RootView } from "../api/root-views.js";
import { callServer, commandsOf, type ServerFlags } from "./client.js";
import { bold, printLine, printRows, show, UsageError, yellow } from "./output.js";
import { printRoot, readPrevious, readRootFile } from "./root-files.js";
import { type RotateFlags, rotate, withRootOptions } from "./root-keys.js";
import { readLineFrom } from "./secret-input.js";
import { toMinute } from "./times.js";

type Roots = RootsView;
type Published = Static<typeof RootView>;

const PATH = "/api/v1/roots";

interface RevokeFlags
  extends ServerFlags,
    Pick<RotateFlags, "expires" | "key" | "out" | "threshold" | "releaseThreshold"> {
  readonly root: string;
  readonly add?: readonly string[];
  readonly offline?: boolean;
  readonly yes?: boolean;
}

/** `skyslot server root`. */
export function addPublishCommand(server: Command): void {
  commandsOf(server)(
    "root <file...>",
    "publish trust roots, in this order: devices take them, and from then on their keys sign releases; it cannot be undone",
  )
    .option("--yes", "do not ask for confirmation")
    .action(publish);
}

/** `skyslot keys show` and `revoke`. */
export function addServerRootCommands(keys: Command): void {
  commandsOf(keys)("show [file]", "show a trust root: of a file, or the newest one of a server").action(
    (file: string | undefined, flags: ServerFlags) =>
      file === undefined ? showServers(flags) : showFile(file, flags),
  );
  withRootOptions(
    commandsOf(keys)(
      "revoke <kid>",
      "write the next trust root without a release key, and say what a server has of it; the key is named by its id or the first characters of it",
    ),
  )
    .requiredOption("--root <file>", "the root that holds now")
    .option("--add <release=file...>", "add a public key that signs from then on")
    .option("--key <file...>", "private root keys that sign it at once")
    .option("--out <file>", "file for it (default: root-N.json beside the root)")
    .option("--offline", "do not ask a server")
    .option("--yes", "do not ask for confirmation")
    .action(revoke);
}

async function publish(
  files: readonly string[],
  { yes, ...flags }: ServerFlags & { readonly yes?: boolean },
): Promise<void> {
  const roots = await Promise.all(files.map(readRootFile));
  const known = await callServer<Roots>(flags, `GET ${PATH}`);
  const [newest] = known.roots;
  const names = roots.map(({ root }) => root.version).join(", ");
  const what =
    newest === undefined
      ? `the first one there: from then on it takes only releases that ${roots.at(-1)?.root.releaseThreshold} of its release keys have signed`
      : `${known.devices.reduce((sum, { device_count: count }) => sum + count, 0)} devices there have root ${newest.version} or another one`;
  await confirm(`publish trust root ${names} at ${flags.server}? It cannot be undone; ${what}`, yes);
  const published: Published[] = [];
  for (const { text } of roots)
    published.push(await callServer<Published>(flags, `POST ${PATH}`, { root: text }));
  await show(flags, { roots: published }, () => {
    for (const { version, expires_at } of published)
      printLine(`trust root ${version} published, expires ${toMinute(expires_at)}`);
  });
}

async function showFile(file: string, flags: ServerFlags): Promise<void> {
  const { describeMissing, describeRoot } = await import("../../release/root-report.js");
  const read = await readRootFile(file);
  const report = await describeRoot(read, await readPrevious(file, read.root, undefined));
  await show(flags, report, () => printRoot(report, describeMissing(report)));
}

const showServers = (flags: ServerFlags): Promise<void> =>
  show(flags, callServer<Roots>(flags, `GET ${PATH}`), ({ roots, devices, behind }) => {
    const [newest] = roots;
    if (!newest)
      return printLine("no trust root is published there: the keys of --trust count, if there are any");
    printLine(bold(`root ${newest.version}, published ${toMinute(newest.published_at)}`));
    const expiry = `expires ${toMinute(newest.expires_at)}`;
    printLine(
      newest.expires_soon ? yellow(`  ${expiry}: its holders have to sign the next one`) : `  ${expiry}`,
    );
    printLine(
      `  ${newest.threshold} root keys sign the next root, ${newest.release_threshold} release keys a release`,
    );
    printRows(newest.keys, {
      KEY: "kid",
      ROLES: ({ roles }) => roles.join(", "),
      SIGNED: ({ has_signed, roles }) => (has_signed ? "yes" : roles.includes("root") ? "no" : ""),
      RELEASES: "release_count",
    });
    printRows(devices, {
      "DEVICES WITH ROOT": ({ root_version: version }) => version ?? "none",
      COUNT: "device_count",
    });
    if (behind > 0) printLine(yellow(`${behind} devices are behind: skyslot device list --root-behind`));
  });

async function revoke(kid: string, { server, root: file, add = [], ...flags }: RevokeFlags): Promise<void> {
  const { findKey, keysOf } = await import("../../release/root-draft.js");
  const { keyIdOf } = await import("../../release/root.js");
  const { root } = await readRootFile(file);
  const key = await findKey(keysOf(root, "release"), kid, `release key of root ${root.version}`);
  if (keysOf(root, "release").length === 1 && add.length === 0)
    throw new UsageError(
      "it is the only release key: nothing could be released any more; add another with --add release=FILE",
    );
  const id = await keyIdOf(key);
  const facts = flags.offline ? "no server was asked" : await describeUse(id, { ...flags, server });
  await confirm(`revoke release key ${id} (${facts})`, flags.yes);
  const { describeMissing } = await import("../../release/root-report.js");
  const written = rotate(file, { ...flags, add, remove: [`release=${id}`] });
  await show(flags, written, (report) => {
    printLine(`${report.file}:`);
    printRoot(report, describeMissing(report));
  });
}

/** What there is of a key, and how long the news will take. */
async function describeUse(kid: string, flags: ServerFlags): Promise<string> {
  const { roots, devices, behind } = await callServer<Roots>(flags, `GET ${PATH}`).catch((error: Error) => {
    throw new Error(`${error.message}; --offline makes the root without a server`, { cause: error });
  });
  const signed = roots.flatMap(({ keys }) => keys).find((key) => key.kid === kid)?.release_count ?? 0;
  const without = devices.find(({ root_version: version }) => version === null)?.device_count ?? 0;
  return `at ${flags.server} it has signed ${signed} releases, ${behind} devices are behind the newest root, ${without} have none and keep the keys of their image`;
}

async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes || /^y(es)?$/i.test(await readLineFrom(`${question} [y/N] `, "use --yes to go on"))) return;
  throw new Error("nothing was changed");
}
