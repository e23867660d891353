// `skyslot image`: firmware images for virtual devices. Real devices are built with mcconfig.

import { type Command, Option } from "commander";
import { defined } from "../shared/defined.js";
import { readAuthorities } from "./authority-files.js";
import { printLine, show, sizeText, UsageError, wholeNumber } from "./output.js";
import { readPrevious, readRootFile } from "./root-files.js";
import { readServerOption } from "./server-url.js";

export const CHIP_NAMES = [
  "esp32",
  "esp32s2",
  "esp32c2",
  "esp32c3",
  "esp32c6",
  "esp32h2",
  "esp32p4",
  "esp32s3",
] as const;

export interface BuildFlags {
  readonly app: string;
  readonly appVersion: string;
  readonly buildNumber?: number;
  readonly chip?: (typeof CHIP_NAMES)[number];
  readonly hardware?: string;
  readonly nvs?: "plain" | "encrypted" | "nvs-keys";
  readonly server?: string;
  readonly key?: readonly string[];
  readonly root?: string;
  readonly authority?: readonly string[];
  readonly publicAuthorities?: boolean;
  readonly checkSeconds?: number;
  readonly trialSeconds?: number;
  readonly enrolmentTokenFile?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Name of the update server in the virtual network: DESK_SERVER of host-sim/desk/desk.ts, which is imported only when needed. */
export const DESK_SERVER_NAME = "http://updates.skyslot.test:8080";

export function imageCommand(program: Command): void {
  const image = program.command("image").description("build and inspect firmware images");
  image
    .command("build")
    .description("build an app of firmware/apps, or a module file, as an ESP32 image")
    .requiredOption("--app <name>", "folder under firmware/apps, or the path of a module file")
    .requiredOption("--app-version <version>", "semantic version, such as 1.1.0")
    .option("--build-number <n>", "build number, orders images of the same version", wholeNumber, 0)
    .addOption(new Option("--chip <chip>", "chip of the image").choices(CHIP_NAMES).default("esp32"))
    .option("--hardware <name>", "board of the image (default: the chip's name)")
    .option(
      "--server <url>",
      "update server of the firmware; default: that of `skyslot sim`",
      readServerOption,
      DESK_SERVER_NAME,
    )
    .option("--key <file...>", "public keys that the firmware trusts, such as release.pub.jwk")
    .option("--root <file>", "trust root that is built in instead of keys, such as root-1.json")
    .option(
      "--authority <file...>",
      "certification authorities, PEM or DER, that sign the server's certificate, such as tls/ca.crt (default: the public ones)",
    )
    .option("--public-authorities", "with --authority: trust the public authorities as well")
    .addOption(
      new Option(
        "--nvs <kind>",
        "how settings are stored: encrypted with a key from the chip's eFuses, or with the partition nvs_keys (default: encrypted for esp32c3, esp32c6 and esp32s3)",
      ).choices(["plain", "encrypted", "nvs-keys"]),
    )
    .option("--check-seconds <n>", "seconds between checks (default: 120)", wholeNumber)
    .option("--trial-seconds <n>", "duration of the trial (default: 30)", wholeNumber)
    .option("--enrolment-token-file <file>", "file with the token that lets the device register")
    .option("--out <file>", "image file (default: APP-VERSION-CHIP.bin)")
    .option("--json", "print one JSON object")
    .action((flags: BuildFlags) =>
      show(flags, buildImageFile(flags), ({ file, bytes }) => `${file}, ${sizeText(bytes)}`),
    );
  image
    .command("show <file>")
    .description("show the metadata of an image")
    .option("--json", "print one JSON object")
    .action(showImage);
}

/** Builds an image and writes it to a file. Errors: those of buildImage. */
export async function buildImageFile(
  flags: BuildFlags,
): Promise<{ readonly file: string; readonly bytes: number }> {
  const { mkdir, readFile, writeFile } = await import("node:fs/promises");
  const { basename, dirname } = await import("node:path");
  const { buildImage, readTrustedKey } = await import("../../host-sim/image-build/image.js");
  const { compileTime } = await import("../../host-sim/image-build/compile-time.js");
  const { app, appVersion, buildNumber = 0, chip = "esp32", enrolmentTokenFile: tokenFile } = flags;
  const version = buildNumber > 0 ? `${appVersion}+${buildNumber}` : appVersion;
  const image = await buildImage({
    app,
    version,
    chip,
    ...compileTime(),
    ...defined({ nvs: flags.nvs }),
    config: {
      server: flags.server ?? DESK_SERVER_NAME,
      keys: await Promise.all((flags.key ?? []).map(readTrustedKey)),
      ...defined({
        hardware: flags.hardware,
        root: flags.root === undefined ? undefined : await readWholeRoot(flags.root),
        authorities: await authoritiesOf(flags),
        checkSeconds: flags.checkSeconds,
        trialSeconds: flags.trialSeconds,
        enrolmentToken: tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim(),
      }),
    },
  });
  const file = flags.out ?? `${basename(app).replace(/\.[jt]s$/, "")}-${version}-${chip}.bin`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, image);
  return { file, bytes: image.length };
}

async function authoritiesOf({
  authority,
  publicAuthorities,
}: BuildFlags): Promise<readonly string[] | undefined> {
  if (authority !== undefined) return readAuthorities(authority, publicAuthorities);
  if (publicAuthorities)
    throw new UsageError(
      "--public-authorities needs --authority: without it the public ones are trusted anyway",
    );
  return undefined;
}

/** Devices trust what is built in without a look at its signatures: who builds looks. @throws ReleaseError ROOT_REFUSED */
async function readWholeRoot(file: string): Promise<string> {
  const { describeMissing, describeRoot } = await import("../../release/root-report.js");
  const read = await readRootFile(file);
  const previous = await readPrevious(file, read.root, undefined);
  const report = await describeRoot(read, previous);
  if (report.missing > 0 || report.missing_of_previous) {
    const { refusal } = await import("../../release/root.js");
    throw refusal(`${file} is not whole, it misses ${describeMissing(report)}`);
  }
  return read.text;
}

async function showImage(file: string, flags: { readonly json?: boolean }): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const { inspectImage } = await import("../../release/describe.js");
  const image = await readFile(file);
  const { description, imageSha256 } = inspectImage(image);
  await show(flags, { ...description, bytes: image.length, imageSha256 }, (facts) => {
    for (const [name, value] of Object.entries(facts)) printLine(`${name.padEnd(16)} ${value}`);
  });
}
