// A newcomer's first hour, with nothing but an empty folder: `skyslot server`, and then what its pages say, command by command as they
// show it, in a shell. Used by the test of it and by the pictures of the README.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { becomeAdministrator } from "./browser.js";

const SKYSLOT = fileURLToPath(new URL("../../bin/skyslot.js", import.meta.url));

export interface Newcomer {
  /** Of the server, without a trailing slash. */
  readonly url: string;
  /** Opening it creates the first administrator. */
  readonly setupUrl: string;
  /** A file in the newcomer's folder. */
  readonly file: (name: string) => string;
  /** Runs a command to its end, in the folder. @throws Error with what it printed if it fails */
  run(command: string): Promise<string>;
  /** Starts a command that goes on until the newcomer is closed. */
  begin(command: string): Running;
  close(): Promise<void>;
}

interface Running {
  /** All that was printed so far. */
  readonly said: () => string;
  /** Resolves to the match in what was printed, once there is one. @throws Error if the command ends before */
  saying(pattern: RegExp): Promise<RegExpExecArray>;
}

/** @param serverCommand what the newcomer starts first */
export async function openNewcomer(serverCommand = "npx skyslot server --port 0"): Promise<Newcomer> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-newcomer-"));
  const tools = join(folder, ".tools");
  await mkdir(tools);
  // `npx` runs the command of this repository: there is no package in the folder.
  const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" "${SKYSLOT}" "$@"\n`;
  await writeFile(join(tools, "npx"), npx, { mode: 0o755 });
  const { SKYSLOT_SERVER: _, ...rest } = process.env;
  const env = { ...rest, PATH: `${tools}${delimiter}${rest.PATH}`, XDG_CONFIG_HOME: folder, HOME: folder };
  const children: ChildProcess[] = [];
  const begin = (command: string): Running => {
    const child = spawn("sh", ["-c", `exec ${command}`], { cwd: folder, env });
    children.push(child);
    return listenTo(child, command);
  };
  const close = async () => {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      running.map((child) => {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        return ended;
      }),
    );
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const server = begin(serverCommand);
    const [, url = ""] = await server.saying(/listens on (http:\S+);/);
    const [setupUrl] = await server.saying(/http:\S+setup#\S+/);
    return {
      url,
      setupUrl,
      file: (name) => join(folder, name),
      run: async (command) => (await promisify(execFile)("sh", ["-c", command], { cwd: folder, env })).stdout,
      begin,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function listenTo(child: ChildProcess, command: string): Running {
  let said = "";
  let hear = () => {};
  const take = (text: unknown) => {
    said += text;
    hear();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  return {
    said: () => said,
    saying: (pattern) =>
      new Promise((resolve, reject) => {
        hear = () => {
          const match = pattern.exec(said);
          if (match) resolve(match);
        };
        child.once("exit", (code) => reject(new Error(`${command} ended with ${code}, and said ${said}`)));
        hear();
      }),
  };
}

interface StepOptions {
  /** Of the device's time: in real time an update takes minutes. */
  readonly speed: number;
  /** Called once the steps are in view. */
  readonly look?: () => Promise<unknown>;
}

/** From the sign-up link to a running rollout, as the page's next steps say. The device is running then. */
export async function takeFirstSteps(
  newcomer: Newcomer,
  page: Page,
  { speed, look }: StepOptions,
): Promise<Running> {
  await becomeAdministrator(page, newcomer.setupUrl);
  const steps = page.getByRole("region", { name: "Next steps" });
  const step = (name: string) => steps.getByRole("listitem").filter({ hasText: name });
  await steps.waitFor();
  await look?.();
  await newcomer.run(await onlyCommand(step("Make a release key")));
  for (const command of await commandsOf(step("Upload a release"))) await newcomer.run(command);
  const device = newcomer.begin(
    `${await onlyCommand(step("Start a device"))} --speed ${speed} --push-port 0`,
  );
  await step("Upload a release").getByRole("link").click();
  await page.getByLabel("Firmware image").setInputFiles(newcomer.file("base-1.1.0-esp32.bin"));
  await page.getByLabel("Signed manifest").setInputFiles(newcomer.file("base-1.1.0-esp32.release.jws"));
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await page.getByText("base 1.1.0 is here").waitFor();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Dashboard" }).click();
  await step("Start a device").getByText("done").waitFor();
  await step("Roll it out").getByRole("link").click();
  const plan = page.getByRole("region", { name: "The plan" });
  await plan.getByText("1 device", { exact: true }).waitFor();
  await plan.getByRole("button", { name: "Start" }).click();
  await page.getByText("running", { exact: true }).waitFor();
  return device;
}

const commandsOf = (step: ReturnType<Page["locator"]>): Promise<string[]> =>
  step.locator(".command code").allTextContents();

async function onlyCommand(step: ReturnType<Page["locator"]>): Promise<string> {
  const [command, ...more] = await commandsOf(step);
  if (command === undefined || more.length > 0) throw new Error(`the step has ${1 + more.length} commands`);
  return command;
}
