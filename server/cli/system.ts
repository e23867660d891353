// `skyslot system`: several devices that are updated as one. Signs which of their releases belong together, and uploads that to a server.

import { type Command, Option } from "commander";
import type { SystemPayload } from "../../firmware/core/wire.js";
import type { SystemView } from "../api/system-views.js";
import { defined } from "../shared/defined.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { createdNow, readManifestOf, readTime, splitName } from "./manifest-files.js";
import { printLine, printRows, show, UsageError, wholeNumber, yellow } from "./output.js";
import { type KeyFlags, readSigningKey, withKeyOptions } from "./signing-key.js";
import { toMinute, toSecond } from "./times.js";

interface SignFlags extends KeyFlags {
  readonly name: string;
  readonly systemVersion?: string;
  readonly minCompatible?: string;
  readonly description?: string;
  readonly rebootDelay?: number;
  readonly healthTimeout?: number;
  readonly expires?: string;
  readonly format?: SystemPayload["format"];
  readonly out?: string;
  readonly json?: boolean;
}
interface AddFlags extends KeyFlags {
  readonly out?: string;
  readonly json?: boolean;
}
interface ListFlags extends ServerFlags {
  readonly name?: string;
  readonly limit: number;
}

/** What a signed system is, for programs. */
interface SignedSystemFile {
  /** The manifest. */
  readonly file: string;
  readonly name: string;
  readonly version: string;
  /** `NAME VERSION` each, in the order in which they are updated. */
  readonly components: readonly string[];
  /** Ids of the keys that have signed it. */
  readonly signers: readonly string[];
}

const PATH = "/api/v1/systems";

export function systemCommand(program: Command): void {
  const system = program
    .command("system")
    .description("sign and upload systems: devices that are updated as one");
  withKeyOptions(system.command("sign <release...>"))
    .description(
      "write the signed manifest of a system: its releases (images or their manifests), in the order in which they are updated; NAME=RELEASE to name a device otherwise than by its type",
    )
    .requiredOption("--name <name>", "the system, such as doorbell")
    .option(
      "--system-version <version>",
      "its version (default: that of its releases, if they have the same)",
    )
    .option("--min-compatible <version>", "oldest version of the system that may be updated to this one")
    .option("--description <text>", "for people, at most 200 characters")
    .option(
      "--reboot-delay <seconds>",
      "wait before an updated device is asked for its health (default: 5)",
      wholeNumber,
    )
    .option(
      "--health-timeout <seconds>",
      "until when it has to be healthy, or all go back (default: 30)",
      wholeNumber,
    )
    .option(
      "--expires <time>",
      "last day (UTC) or time at which it may be installed (ISO 8601), or days from now, such as 90d",
    )
    .addOption(
      new Option("--format <n>", "manifest format (default: 1); 2 has room for two signatures")
        .choices(["1", "2"])
        .argParser((text) => (text === "2" ? 2 : 1)),
    )
    .option("--out <file>", "manifest file (default: NAME-VERSION.system.jws)")
    .option("--json", "print one JSON object")
    .action((releases: readonly string[], flags: SignFlags) =>
      show(flags, signSystemFile(releases, flags), describeFile),
    );
  withKeyOptions(system.command("add-signature <manifest> <release...>"))
    .description(
      "add a second signature to the manifest of format 2 of a system, if it names exactly these releases in this order; NAME=RELEASE as with `sign`",
    )
    .option("--out <file>", "manifest file (default: the same)")
    .option("--json", "print one JSON object")
    .action((manifest: string, releases: readonly string[], flags: AddFlags) =>
      show(flags, addSignatureTo(manifest, releases, flags), describeFile),
    );
  const add = commandsOf(system);
  add("upload <manifest>", "upload the signed manifest of a system").action(upload);
  add("list", "list systems, the last uploaded first")
    .option("--name <name>", "only versions of this system")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(list);
  add("show <id>", "show a system, its releases and what keeps it back").action(
    (id: string, flags: ServerFlags) =>
      show(flags, callServer<SystemView>(flags, `GET ${PATH}/${wholeNumber(id)}`), printSystem),
  );
  for (const [name, description, is_active] of CHANGES)
    add(`${name} <id>`, description).action((id: string, flags: ServerFlags) =>
      show(flags, callServer<SystemView>(flags, `PATCH ${PATH}/${wholeNumber(id)}`, { is_active }), describe),
    );
}

const CHANGES = Object.freeze([
  ["activate", "allow devices to be told of a system again", true],
  ["deactivate", "no longer tell devices of a system", false],
] as const);

/** Signs which releases belong together into a file. @throws ReleaseError, KeyError, UsageError */
async function signSystemFile(releases: readonly string[], flags: SignFlags): Promise<SignedSystemFile> {
  const { writeFile } = await import("node:fs/promises");
  const { describeSystem, signSystem } = await import("../../release/system.js");
  const { signersOf } = await import("../../release/signing.js");
  const created = createdNow();
  const payload = describeSystem(await readMembers(releases), {
    name: flags.name,
    created,
    ...defined({
      version: flags.systemVersion,
      minCompatibleVersion: flags.minCompatible,
      description: flags.description,
      rebootDelaySeconds: flags.rebootDelay,
      healthTimeoutSeconds: flags.healthTimeout,
      expires: flags.expires === undefined ? undefined : await readTime(flags.expires, created),
      format: flags.format,
    }),
  });
  const jws = await signSystem(payload, await readSigningKey(flags));
  const file = flags.out ?? `${payload.name}-${payload.version}.system.jws`;
  await writeFile(file, `${jws}\n`);
  return { file, ...partsOf(payload), signers: signersOf(jws) };
}

/** The second holder of a release key signs what the first one has, and only for these releases. @throws ReleaseError, KeyError */
async function addSignatureTo(
  manifest: string,
  releases: readonly string[],
  flags: AddFlags,
): Promise<SignedSystemFile> {
  const { readFile, writeFile } = await import("node:fs/promises");
  const { addSystemSignature, readSystem } = await import("../../release/system.js");
  const { signersOf } = await import("../../release/signing.js");
  const first = (await readFile(manifest, "utf8")).trim();
  const members = await readMembers(releases);
  const jws = await addSystemSignature(first, members, await readSigningKey(flags));
  const file = flags.out ?? manifest;
  await writeFile(file, `${jws}\n`);
  return { file, ...partsOf(readSystem(jws).system), signers: signersOf(jws) };
}

const readMembers = (releases: readonly string[]) =>
  Promise.all(
    releases.map(async (text) => {
      const { name, file } = splitName(text);
      return { ...defined({ name }), release: await readManifestOf(file) };
    }),
  );

const partsOf = ({ name, version, components }: SystemPayload) => ({
  name,
  version,
  components: components.map((one) => `${one.name} ${one.version}`),
});

const describeFile = ({ file, name, version, components, signers }: SignedSystemFile): string =>
  `${file}: ${name} ${version}, ${components.join(", then ")}${signers.length > 1 ? `, signed by ${signers.join(" and ")}` : ""}`;

async function upload(file: string, flags: ServerFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const manifest = (await readFile(file, "utf8")).trim();
  if (manifest === "") throw new UsageError(`${file} is empty: \`skyslot system sign\` writes the manifest`);
  await show(flags, callServer<SystemView>(flags, `POST ${PATH}`, { manifest }), (system) => {
    printLine(describe(system));
    printAdvice(system);
  });
}

const list = ({ name, limit, ...flags }: ListFlags): Promise<void> =>
  show(
    flags,
    callServer<{ systems: SystemView[] }>(flags, `GET ${PATH}${query({ name, limit })}`),
    ({ systems }) =>
      printRows(systems, {
        ID: "id",
        SYSTEM: "name",
        VERSION: "version",
        CREATED: (system) => toMinute(system.created_at),
        DEVICES: (system) => system.components.map((one) => `${one.name} ${one.version}`).join(", "),
        STATE: "state",
      }),
  );

const describe = ({ id, name, version, state, problems }: SystemView): string =>
  `system ${id}: ${name} ${version}, ${state}${problems.length > 0 ? `: ${problems.join("; ")}` : ""}`;

function printSystem(system: SystemView): void {
  printLine(describe(system));
  const { description, min_compatible_version: minimum, signed_at, expires_at } = system;
  if (description !== "") printLine(description);
  const expiry = expires_at === null ? "" : `, expires ${toSecond(expires_at)}`;
  printLine(`signed ${toSecond(signed_at)}${expiry}, from ${minimum ?? "any version"}`);
  printRows(system.components, {
    DEVICE: "name",
    TYPE: "device_type",
    HARDWARE: "hardware",
    VERSION: "version",
    BUILD: "build_number",
    FIRMWARE: (one) => one.firmware_id ?? "not here",
  });
  printAdvice(system);
}

/** A stable release is offered to each device alone. */
function printAdvice({ components }: SystemView): void {
  for (const { firmware_id: id, device_type: type, version, is_stable } of components)
    if (is_stable)
      printLine(
        yellow(
          `${type} ${version} is stable, so its devices are offered it without the others: skyslot release demote ${id}`,
        ),
      );
}
