// `skyslot keys tls`: a private certification authority, and a certificate for an update server at home, so that devices reach it by https://.

import type { Command } from "commander";
import type { MadeCertificates } from "../runtime/certificates/private-ca.js";
import { printLines, show } from "./output.js";

interface Flags {
  readonly host: readonly string[];
  readonly ip: readonly string[];
  readonly out: string;
  readonly passphrase?: boolean;
  readonly json?: boolean;
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

export function keysTlsCommand(keys: Command): void {
  keys
    .command("tls")
    .description(
      "create a private certification authority (10 years) and a certificate for your server (825 days) that it signs; run it again for a new certificate by the same authority",
    )
    .option("--host <name>", "a name of the server, as devices call it; may be repeated", collect, [])
    .option("--ip <address>", "an address of the server, as devices call it; may be repeated", collect, [])
    .option("--out <folder>", "folder for the keys and certificates", "tls")
    .option(
      "--passphrase",
      "lock a new authority's key with a passphrase: SKYSLOT_KEY_PASSPHRASE, a pipe or the keyboard",
    )
    .option("--json", "print one JSON object")
    .action(async (flags: Flags) => show(flags, makeTls(flags), describe));
}

async function makeTls({ host, ip, out, passphrase: locks }: Flags) {
  const { makeCertificates, readServerNames } = await import("../runtime/certificates/private-ca.js");
  const { readPassphrase } = await import("./signing-key.js");
  const { warnIfGitSees } = await import("./git-ignore.js");
  const made = await makeCertificates({
    folder: out,
    names: readServerNames(host, ip),
    now: Date.now(),
    passphrase: () => readPassphrase("passphrase of the authority's key: "),
    locks,
  });
  await warnIfGitSees(made.ca.key, "the authority's private key");
  await warnIfGitSees(made.server.key, "the server's private key");
  return toJson(made);
}

const toJson = (made: MadeCertificates) => ({
  ca: made.ca.pem,
  ca_der: made.ca.der,
  ca_key: made.ca.key,
  ca_sha256: made.caSha256,
  ca_is_new: made.isCaNew,
  ca_valid_to: isoTime(made.caValidTo),
  cert: made.server.cert,
  key: made.server.key,
  valid_to: isoTime(made.serverValidTo),
  names: [...made.names.hosts, ...made.names.addresses],
});

const isoTime = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

function describe(made: ReturnType<typeof toJson>): void {
  const day = (time: string) => time.slice(0, 10);
  const lines = [
    `authority    ${made.ca} (${made.ca_is_new ? "new" : "as before"}), valid until ${day(made.ca_valid_to)}`,
    `             SHA-256 ${made.ca_sha256}`,
    `             private key: ${made.ca_key}. The server does not need it: keep it elsewhere`,
    `certificate  ${made.cert} for ${made.names.join(", ")}, valid until ${day(made.valid_to)}`,
    `serve        skyslot server --tls-cert ${made.cert} --tls-key ${made.key}; one that runs with them reads them again`,
    `devices      skyslot image build --authority ${made.ca} --server https://${made.names[0]} …`,
    `trust        curl --cacert ${made.ca} …; a browser, after importing that file`,
  ];
  printLines(lines.join("\n"));
}
