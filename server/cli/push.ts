// `skyslot push`: sends an image to a device in one's own network, as its page does, and shows how far it is. It proves the owner's token
// (owner-proof.ts) and never sends it, unless it is told to: whoever answers in the device's name could ask for it.

import { createReadStream } from "node:fs";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { show, UsageError, wholeNumber } from "./output.js";
import { answerChallenge, readChallenge, sha256OfFile } from "./owner-proof.js";

interface Flags {
  readonly release?: string;
  readonly unsigned?: boolean;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly bearer?: boolean;
  readonly port: number;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** What a device answers, core/update/pushed-update.ts. */
interface PushAnswer {
  readonly ok: boolean;
  readonly message?: string;
  readonly version?: string;
  readonly build?: number;
  readonly slot?: string;
  readonly restart_ms?: number;
}

/** A device verifies an image after its last byte: at 40 MHz flash some seconds for 2 MiB. It gives a silent sender up after two minutes. */
const ANSWER_TIMEOUT_MS = 150_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export function pushCommand(program: Command): void {
  program
    .command("push [host] [firmware]")
    .description("send an image to a device in this network, which installs it and restarts")
    .option("--release <file>", "its signed manifest (default: FIRMWARE.release.jws)")
    .option("--unsigned", "send no manifest: only for devices whose owner accepts unsigned images")
    .option(
      "--token-file <file>",
      "file with the owner's token (default: SKYSLOT_DEVICE_TOKEN in the environment)",
    )
    .option("--token <token>", "the owner's token; other users of this machine can see it")
    .option(
      "--bearer",
      "send the token as it is, to devices with older firmware: anyone in the network can read it",
    )
    .option("--port <port>", "the device's port for pushed images", wholeNumber, 3232)
    .option("--list", "instead: list the devices in this network that announce themselves")
    .option("--json", "print one JSON object")
    .action(pushOrList);
}

async function pushOrList(host: string | undefined, firmware: string | undefined, flags: Flags) {
  if (flags.list) {
    if (host !== undefined) throw new UsageError("--list takes no host");
    const { listPushTargets } = await import("./push-list.js");
    return listPushTargets(flags);
  }
  if (host === undefined || firmware === undefined)
    throw new UsageError(
      "name the device and the file: skyslot push HOST FIRMWARE (`skyslot push --list` finds devices)",
    );
  return push(host, firmware, flags);
}

async function push(host: string, firmware: string, flags: Flags): Promise<void> {
  const { readFile, stat } = await import("node:fs/promises");
  if (flags.release !== undefined && flags.unsigned)
    throw new UsageError("--release and --unsigned exclude each other");
  const size = (await stat(firmware)).size;
  const release = flags.unsigned ? undefined : await readManifest(firmware, flags.release);
  const token =
    flags.token ??
    (flags.tokenFile === undefined
      ? process.env.SKYSLOT_DEVICE_TOKEN
      : (await readFile(flags.tokenFile, "utf8")).trim());
  const { createTerminal } = await import("../../host-sim/sim/terminal.js");
  const terminal = createTerminal(process.stderr);
  const sent = (count: number): void => terminal.progress(`sent to ${host}`, count, size);
  const target: Push = { host, port: flags.port, firmware, size, release };
  const answer = await send(target, await credentials(target, token, flags.bearer === true), sent);
  terminal.note(`${host} has verified and armed it`);
  await show(flags, answer, describe);
}

const describe = ({ version, build = 0, slot }: PushAnswer): string =>
  `installed ${version || "the image"}${build > 0 ? ` build ${build}` : ""}${slot ? ` in ${slot}` : ""}; ` +
  "the device restarts, and returns to the old image if the new one fails";

/** @throws UsageError that says what else there is */
async function readManifest(firmware: string, file?: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { manifestBeside } = await import("./manifest-files.js");
  const path = file ?? manifestBeside(firmware);
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw error;
    throw new UsageError(
      `${path} does not exist: sign the image first (\`skyslot release sign\`), or name the manifest with --release; --unsigned if the device takes unsigned images`,
    );
  }
}

interface Push {
  readonly host: string;
  readonly port: number;
  readonly firmware: string;
  readonly size: number;
  readonly release: string | undefined;
}

const PATH = "/update";

/** The Authorization header; undefined: without a token. */
async function credentials(
  { host, port, firmware }: Push,
  token: string | undefined,
  isBearer: boolean,
): Promise<string | undefined> {
  if (!token || isBearer) return token && `Bearer ${token}`;
  const asked = await answered(
    host,
    port,
    httpRequest({ host, port, path: PATH, method: "POST", timeout: ANSWER_TIMEOUT_MS }),
  );
  asked.resume();
  if (asked.statusCode !== 401) return undefined; // the push itself is told why
  const challenge = readChallenge(asked.headers["www-authenticate"]);
  if (!challenge)
    throw new Error(
      `${host} asks for the token itself, and would show it to anyone in this network: its firmware is older, or it is another device. --bearer sends it all the same`,
    );
  return answerChallenge(challenge, token, "POST", PATH, await sha256OfFile(firmware));
}

/** The body is sent once the device has accepted the head. @throws Error with the device's sentence */
async function send(
  { host, port, firmware, size, release }: Push,
  authorization: string | undefined,
  onSent: (count: number) => void,
): Promise<PushAnswer> {
  const outgoing = httpRequest({
    host,
    port,
    path: PATH,
    method: "POST",
    timeout: ANSWER_TIMEOUT_MS,
    headers: {
      accept: "application/json",
      "content-type": "application/octet-stream",
      "content-length": size,
      expect: "100-continue",
      ...(authorization === undefined ? {} : { authorization }),
      ...(release === undefined ? {} : { "x-skyslot-release": release }),
    },
  });
  outgoing.once("continue", () => {
    let sent = 0;
    const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
      for await (const chunk of chunks) {
        yield chunk;
        sent += chunk.length;
        onSent(sent);
      }
    };
    // what breaks it is an answer, or an error of the request
    pipeline(createReadStream(firmware), counted, outgoing).catch(() => {});
  });
  return readAnswer(await answered(host, port, outgoing, false), host);
}

/** @param isWhole it has no body, and can be ended */
async function answered(
  host: string,
  port: number,
  outgoing: ClientRequest,
  isWhole = true,
): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.once("timeout", () =>
      outgoing.destroy(new Error(`nothing came for ${ANSWER_TIMEOUT_MS / 1000} s`)),
    );
  });
  if (isWhole) outgoing.end();
  else outgoing.flushHeaders();
  return answer.catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      `${host}:${port} does not answer (${code ?? message}): is the device on, and in this network? \`skyslot push --list\` lists those that are`,
    );
  });
}

async function readAnswer(response: IncomingMessage, host: string): Promise<PushAnswer> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  const answer = readJson(text);
  if (response.statusCode === 200 && answer.ok) return answer;
  throw new Error(
    `${host} answers ${response.statusCode}: ${answer.message ?? text.trim().slice(0, 300)}${ADVICE[response.statusCode ?? 0] ?? ""}`,
  );
}

const ADVICE: Readonly<Record<number, string>> = Object.freeze({
  401: " (--token-file, or SKYSLOT_DEVICE_TOKEN)",
});

function readJson(text: string): PushAnswer {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as PushAnswer;
  } catch {
    // a server that is no device of ours
  }
  return { ok: false };
}
