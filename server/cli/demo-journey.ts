// What `skyslot demo` does: a whole update, from keys to the validated image. It runs the commands that a user would, with a virtual ESP32.
// All its files are in DATA/demo, which is recreated each time.

import { readFileSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { type Sim, startSim } from "../../host-sim/sim/sim.js";
import type { Terminal } from "../../host-sim/sim/terminal.js";
import { makeCertificates, readServerNames } from "../runtime/certificates/private-ca.js";
import { defined } from "../shared/defined.js";
import { type RunningServer, startServer } from "../start.js";
import { imageCommand } from "./image.js";
import { keysCommand } from "./keys.js";
import { redirectOutput } from "./output.js";
import { createPrintableTerminal } from "./printable-terminal.js";
import { releaseCommand } from "./release.js";

export interface DemoOptions {
  /** End after the validation. */
  readonly once?: boolean;
  /** One JSON object on standard output; everything else goes to standard error. */
  readonly json?: boolean;
  /** The user goes through the portal in a browser. */
  readonly manual?: boolean;
  readonly speed?: number;
  /** Length of the trial run; 30 s in a real build. */
  readonly trial?: number;
  /** Seconds between checks; 120 by default. */
  readonly check?: number;
  readonly port?: number;
  readonly data?: string;
}

/** What `--json` prints. */
export interface DemoResult {
  readonly ok: boolean;
  readonly from: string;
  readonly to: string;
  readonly slot: string;
  /** Written to the slot. */
  readonly bytes: number;
  /** Update checks of the device. */
  readonly checks: number;
  /** Sectors of the slot that were erased, each once. */
  readonly flashErases: number;
  /** From power on to the validation, on the device's clock. */
  readonly seconds: number;
}

/** Name and port by which devices call the server, and their network leads to it. */
const DEVICES_HOST = "updates.skyslot.test";
const DEVICES_SERVER = `https://${DEVICES_HOST}:8443`;
const FROM = "1.0.0";
const TO = "1.1.0";
const TRIAL_SECONDS = 8;
const REAL_TRIAL_SECONDS = 30;
const LOOK_EVERY_MS = 200;

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const screen = createPrintableTerminal(options.json ? process.stderr : process.stdout);
  const folder = join(options.data ?? "data", "demo");
  const trialSeconds = options.trial ?? TRIAL_SECONDS;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });

  const file = (name: string) => join(folder, name);
  const skyslot = commands(screen);
  const checkSeconds = `${options.check ?? 120}`;
  const certificates = await makeCertificates({
    folder: file("tls"),
    names: readServerNames([DEVICES_HOST, "localhost"], ["127.0.0.1"]),
    now: Date.now(),
  });
  const settings = [
    ...["--server", DEVICES_SERVER, "--authority", certificates.ca.pem],
    ...["--trial-seconds", `${trialSeconds}`, "--check-seconds", checkSeconds],
  ];
  await skyslot("keys", "init", "--out", file("release.jwk"));
  for (const version of [FROM, TO]) {
    const target = ["--key", file("release.pub.jwk"), "--out", file(`base-${version}.bin`)];
    await skyslot("image", "build", "--app", "base", "--app-version", version, ...settings, ...target);
  }
  await skyslot("release", "sign", file(`base-${TO}.bin`), "--type", "base", "--key", file("release.jwk"));
  const server = await startServer({
    dataDir: file("server"),
    port: options.port ?? 0,
    tls: certificates.server,
    tlsPort: 0,
  });
  await skyslot(
    "release",
    "upload",
    file(`base-${TO}.bin`),
    "--server",
    server.url,
    "--data",
    file("server"),
  );
  screen.done(`dashboard: ${server.url}/`);
  screen.done(
    `by TLS, as the device asks it: ${server.tlsUrl}/; a browser has to trust ${certificates.ca.pem}`,
  );
  screen.note(
    "by plain HTTP updates are safe too, because they are signed; reports, tokens and passwords could be read on the way",
  );
  if (trialSeconds !== REAL_TRIAL_SECONDS) {
    screen.note(
      `for this demonstration the trial takes ${trialSeconds} s; a real build waits ${REAL_TRIAL_SECONDS} s`,
    );
  }
  if (options.speed !== undefined) screen.note(`time runs ${options.speed} times as fast as real time`);

  const updateBytes = statSync(file(`base-${TO}.bin`)).size;
  const sim = await startSim({
    image: readFileSync(file(`base-${FROM}.bin`)),
    serverUrl: DEVICES_SERVER,
    loopbackPort: Number(new URL(server.tlsUrl ?? server.url).port),
    manual: options.manual ?? false,
    terminal: screen,
    ...defined({ speed: options.speed }),
  });
  screen.done(`virtual ESP32 with 8 MB flash: base ${FROM} in factory, NVS empty, power on`);
  screen.note(`the device's own pages: ${sim.devices[0]?.portalUrl}/`);
  if (options.manual) screen.note(`set it up there: choose "${HOME.ssid}", password ${HOME.password}`);
  else screen.note(`its owner's token, set during setup: ${OWNER_TOKEN}`);
  return follow(sim, server, updateBytes, screen, options);
}

/** Runs a command line of the groups that the journey needs, and shows its output. */
function commands(screen: Terminal): (...line: string[]) => Promise<void> {
  return async (...line) => {
    let output = "";
    const restore = redirectOutput((text) => {
      output += text;
    });
    const program = new Command("skyslot").exitOverride();
    for (const add of [keysCommand, imageCommand, releaseCommand]) add(program);
    try {
      await program.parseAsync(line, { from: "user" });
    } finally {
      restore();
    }
    screen.done(`skyslot ${line.slice(0, 2).join(" ")}: ${output.trim()}`);
  };
}

/** Runs the device until its update is validated or, without `once`, until Ctrl-C. */
async function follow(
  sim: Sim,
  server: RunningServer,
  updateBytes: number,
  screen: Terminal,
  options: DemoOptions,
): Promise<DemoResult> {
  let result: DemoResult | undefined;
  let isLooking = false;
  let over = false;
  const stop = () => {
    over = true;
    sim.stop();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const look = setInterval(async () => {
    // Answers may take longer than the interval, and one result is enough.
    if (isLooking) return;
    isLooking = true;
    const status = await attemptStatus(server);
    if (status !== "success" && status !== "failed") {
      isLooking = false;
      return;
    }
    result = await summarise(sim, server, updateBytes, status);
    report(result, screen, options);
    if (options.once) stop();
  }, LOOK_EVERY_MS);
  await sim.run(() => over);
  clearInterval(look);
  sim.stop();
  await server.close();
  return result ?? (await summarise(sim, server, updateBytes, "interrupted"));
}

async function ask(server: RunningServer, url: string): Promise<string> {
  const headers = { authorization: `Bearer ${server.adminToken}` };
  return (await server.app.inject({ url, headers })).body;
}

/** How the server sees the newest attempt. */
async function attemptStatus(server: RunningServer): Promise<string | undefined> {
  const { logs } = JSON.parse(await ask(server, "/api/ota/admin/logs?limit=1")) as {
    logs: { status: string }[];
  };
  return logs[0]?.status;
}

async function summarise(
  sim: Sim,
  server: RunningServer,
  updateBytes: number,
  status: string,
): Promise<DemoResult> {
  const [one] = sim.devices;
  const slot = one?.device.running?.label ?? "";
  const record = one?.watch.slots.get(slot);
  const erases = [...(record?.erases.values() ?? [])];
  const checks = (await ask(server, "/metrics")).matchAll(/^skyslot_checks_total\{[^}]*\} (\d+)$/gm);
  return {
    ok: status === "success" && record?.bytesWritten === updateBytes && erases.every((count) => count === 1),
    from: FROM,
    to: TO,
    slot,
    bytes: record?.bytesWritten ?? 0,
    checks: [...checks].reduce((sum, [, count]) => sum + Number(count), 0),
    flashErases: erases.reduce((sum, count) => sum + count, 0),
    seconds: sim.seconds(),
  };
}

function report(result: DemoResult, screen: Terminal, options: DemoOptions): void {
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  const { from, to, slot, bytes, checks, flashErases, seconds } = result;
  if (!result.ok) return screen.warn(`the update from ${from} to ${to} did not succeed; see the dashboard`);
  screen.done(`updated from ${from} to ${to}: validated in ${slot} after ${seconds} s`);
  screen.done(`${bytes} bytes written, ${flashErases} sectors erased once each, ${checks} update checks`);
  if (!options.once) screen.note("the device continues to check; Ctrl-C ends the demonstration");
}
