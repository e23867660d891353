// Puts the groups of commands together. Commands import what they need when they run, so that `--help` is fast.

import { readFileSync } from "node:fs";
import { Command } from "commander";
import { completionCommand } from "./completion.js";
import { demoCommand } from "./demo.js";
import { deviceCommand } from "./device.js";
import { exportCommand, importCommand } from "./export.js";
import { firmwareCommand } from "./firmware.js";
import { flashCommand } from "./flash.js";
import { imageCommand } from "./image.js";
import { keysCommand } from "./keys.js";
import { loginCommands } from "./login.js";
import { partitionsCommand } from "./partitions.js";
import { pushCommand } from "./push.js";
import { registrationCommands } from "./registration.js";
import { releaseCommand } from "./release.js";
import { rolloutCommand } from "./rollout.js";
import { serverCommand } from "./server.js";
import { simCommand } from "./sim.js";
import { systemCommand } from "./system.js";
import { tokenCommand } from "./token.js";
import { typeCommands } from "./type.js";
import { userCommand } from "./user.js";
import { webhookCommand } from "./webhook.js";

const PACKAGE = new URL("../../package.json", import.meta.url);

const versionOf = (file: URL): string =>
  (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;

export function createProgram(): Command {
  const program = new Command("skyslot")
    .description("Over-the-air updates for ESP32 devices whose firmware is written in TypeScript.")
    .version(versionOf(PACKAGE), "-V, --version", "print the version of Skyslot")
    // A group's options precede its subcommand, which may have options of the same name.
    .enablePositionalOptions()
    .showHelpAfterError("(`skyslot help` lists the commands)")
    .exitOverride();
  for (const add of [
    demoCommand,
    keysCommand,
    imageCommand,
    releaseCommand,
    systemCommand,
    serverCommand,
    exportCommand,
    importCommand,
    firmwareCommand,
    loginCommands,
    userCommand,
    tokenCommand,
    typeCommands,
    registrationCommands,
    webhookCommand,
    rolloutCommand,
    deviceCommand,
    pushCommand,
    simCommand,
    flashCommand,
    partitionsCommand,
    completionCommand,
  ]) {
    add(program);
  }
  return program;
}
