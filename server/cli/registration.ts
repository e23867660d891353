// `skyslot registration` and `skyslot enrolment`: which devices may register, and how they authenticate.

import { type Command, Option } from "commander";
import type { EnrolmentView, PolicyView } from "../api/registration-views.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, printTable, UsageError, wholeNumber } from "./output.js";

interface Flags extends ServerFlags {
  readonly json?: boolean;
}
interface PolicyFlags extends Flags {
  readonly registration: string;
  readonly tokens: string;
}
interface EnrolmentFlags extends Flags {
  readonly type?: string;
  readonly count?: number;
  readonly days?: number;
}
interface TokenFlags extends Flags {
  readonly type?: string;
}
interface Identity {
  readonly device_id: string;
  readonly device_type: string;
  readonly state: string;
  readonly uses_token: boolean;
  readonly error?: string;
}

const STATES = ["pending", "approved", "blocked"];
const ACTIONS: readonly (readonly [name: string, description: string])[] = [
  ["approve", "approve devices that wait for it"],
  ["block", "refuse all requests of devices"],
  ["rotate-token", "give devices a new token with their next check"],
  ["forget-token", "reset the token of devices that have lost it; the next device with the id is trusted"],
];

export function registrationCommands(program: Command): void {
  const registration = program
    .command("registration")
    .description("set which devices may register, and approve or block them");
  const add = (group: Command, usage: string, description: string) =>
    withServer(group.command(usage).description(description)).option("--json", "print JSON");
  add(registration, "list", "list who may register, and whether devices need tokens").action(listPolicies);
  add(registration, "set <type>", "set the policy of a device type, or of '*': all types without their own")
    .addOption(
      new Option("--registration <mode>", "who may register")
        .choices(["open", "enrolment", "approval"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--tokens <policy>", "whether devices need a token")
        .choices(["optional", "first-use", "required"])
        .default("first-use"),
    )
    .action(setPolicy);
  add(registration, "reset <type>", "remove the policy of a device type: that of '*' applies").action(
    resetPolicy,
  );
  add(registration, "devices [state]", `list devices by state: ${STATES.join(", ")}`).action(listDevices);
  for (const [action, description] of ACTIONS) {
    add(registration, `${action} <device...>`, description).action((ids: readonly string[], flags: Flags) =>
      change(action, ids, flags),
    );
  }
  add(
    registration,
    "give-token <device>",
    "create a token for a client that is set up by hand, and print it once",
  )
    .option("--type <type>", "its type, if the device is new")
    .action(giveToken);

  const enrolment = program
    .command("enrolment")
    .description("manage the tokens with which new devices register");
  add(enrolment, "create <name>", "create a token and print it once")
    .option("--type <type>", "only for devices of this type")
    .option("--count <n>", "maximum number of devices", wholeNumber)
    .option("--days <n>", "days until it expires (default: never)", wholeNumber)
    .action(createEnrolment);
  add(enrolment, "list", "list the tokens").action(listEnrolments);
  add(enrolment, "revoke <id>", "revoke a token; devices that registered with it stay").action(
    revokeEnrolment,
  );
}

async function listPolicies(flags: Flags): Promise<void> {
  const answer = (await callServer(flags, "/api/registration")) as {
    readonly default: PolicyView;
    readonly policies: readonly PolicyView[];
  };
  if (flags.json) printJson(answer);
  else {
    const own = answer.policies.filter(({ device_type }) => device_type !== "*");
    showPolicies([answer.default, ...own]);
  }
}

async function setPolicy(type: string, flags: PolicyFlags): Promise<void> {
  const { registration, tokens } = flags;
  const path = `/api/registration/${encodeURIComponent(type)}`;
  const policy = (await callServer(flags, path, jsonRequest("PUT", { registration, tokens }))) as PolicyView;
  if (flags.json) printJson(policy);
  else showPolicies([policy]);
}

async function resetPolicy(type: string, flags: Flags): Promise<void> {
  const path = `/api/registration/${encodeURIComponent(type)}`;
  const policy = (await callServer(flags, path, { method: "DELETE" })) as PolicyView;
  if (flags.json) printJson(policy);
  else showPolicies([policy]);
}

const showPolicies = (policies: readonly PolicyView[]): void =>
  printTable(
    ["TYPE", "REGISTRATION", "TOKENS"],
    policies.map((policy) => [policy.device_type, policy.registration, policy.tokens]),
  );

async function listDevices(state: string | undefined, flags: Flags): Promise<void> {
  if (state !== undefined && !STATES.includes(state))
    throw new UsageError(`"${state}" is not a state: ${STATES.join(", ")}`);
  const query = new URLSearchParams({ limit: "500", ...(state ? { state } : {}) });
  const answer = (await callServer(flags, `/api/device-identities?${query}`)) as {
    readonly devices: readonly Identity[];
    readonly total: number;
  };
  if (flags.json) return printJson(answer);
  showIdentities(answer.devices);
  if (answer.total > answer.devices.length)
    printLine(`${answer.devices.length} of ${answer.total}: more with the API's limit and offset`);
}

async function giveToken(id: string, flags: TokenFlags): Promise<void> {
  const body = flags.type === undefined ? {} : { device_type: flags.type };
  const path = `/api/device-identities/${encodeURIComponent(id)}/token`;
  const given = (await callServer(flags, path, jsonRequest("POST", body))) as Identity & {
    readonly token: string;
  };
  if (flags.json) return printJson(given);
  printLine(given.token);
  process.stderr.write(`token of ${given.device_id} of type ${given.device_type}; it is not shown again\n`);
}

/** Exit status 1 if any device was refused; the others were changed. */
async function change(action: string, ids: readonly string[], flags: Flags): Promise<void> {
  const request = jsonRequest("POST", { action, device_ids: ids });
  const answer = (await callServer(flags, "/api/device-identities/change", request)) as {
    readonly results: readonly Identity[];
  };
  if (flags.json) printJson(answer);
  else showIdentities(answer.results);
  if (answer.results.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

const showIdentities = (devices: readonly Identity[]): void =>
  printTable(
    ["DEVICE", "TYPE", "TOKEN", "STATE"],
    devices.map((device) => [
      device.device_id,
      device.device_type ?? "",
      device.uses_token ? "yes" : "no",
      device.error ?? device.state,
    ]),
  );

async function createEnrolment(name: string, flags: EnrolmentFlags): Promise<void> {
  const body = {
    name,
    ...(flags.type === undefined ? {} : { device_type: flags.type }),
    ...(flags.count === undefined ? {} : { max_use_count: flags.count }),
    ...(flags.days === undefined ? {} : { expires_in_days: flags.days }),
  };
  const made = (await callServer(
    flags,
    "/api/enrolment-tokens",
    jsonRequest("POST", body),
  )) as EnrolmentView & {
    readonly token: string;
  };
  if (flags.json) return printJson(made);
  printLine(made.token);
  process.stderr.write(`enrolment token ${made.id}; it is not shown again\n`);
}

async function listEnrolments(flags: Flags): Promise<void> {
  const answer = (await callServer(flags, "/api/enrolment-tokens")) as {
    readonly enrolment_tokens: readonly EnrolmentView[];
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "NAME", "TYPE", "USED", "EXPIRES"],
    answer.enrolment_tokens.map((token) => [
      `${token.id}`,
      token.name,
      token.device_type ?? "any",
      token.max_use_count === null ? `${token.use_count}` : `${token.use_count} of ${token.max_use_count}`,
      token.revoked_at ? "revoked" : (token.expires_at?.slice(0, 10) ?? "never"),
    ]),
  );
}

async function revokeEnrolment(id: string, flags: Flags): Promise<void> {
  const path = `/api/enrolment-tokens/${wholeNumber(id)}`;
  const revoked = (await callServer(flags, path, { method: "DELETE" })) as EnrolmentView;
  if (flags.json) printJson(revoked);
  else printLine(`enrolment token ${revoked.id} (${revoked.name}) is revoked`);
}
