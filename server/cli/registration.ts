// `skyslot registration` and `skyslot enrolment`: which devices may register, and how they authenticate.

import { type Command, Option } from "commander";
import type { EnrolmentView, PolicyView } from "../api/registration-views.js";
import { defined } from "../shared/defined.js";
import type { Vouched } from "../shared/vouched-words.js";
import { plural } from "../shared/words.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { changeAll, readSelection, type SelectionFlags, withSelection } from "./device-selection.js";
import { printLine, printRows, printSecret, show, UsageError, wholeNumber, yellow } from "./output.js";
import { toDay } from "./times.js";

interface PolicyFlags extends ServerFlags {
  readonly registration: string;
  readonly tokens: string;
}
interface EnrolmentFlags extends ServerFlags {
  readonly type?: string;
  readonly count?: number;
  readonly days?: number;
}
interface TokenFlags extends ServerFlags {
  readonly type?: string;
}
interface Identity extends Vouched {
  readonly device_id: string;
  readonly device_type: string;
  readonly state: string;
  readonly uses_token: boolean;
  readonly error?: string;
}

const STATES = ["pending", "approved", "blocked"];
const BULK_ACTIONS = [
  ["approve", "vouch for devices, and admit those that wait for it: rollouts count them"],
  ["block", "refuse all requests of devices"],
  ["rotate-token", "give devices a new token with their next check"],
] as const;
const FORGET = "reset the token of devices that have lost it; the next device with the id is trusted";

export function registrationCommands(program: Command): void {
  const registration = program
    .command("registration")
    .description("set which devices may register, and approve or block them");
  const add = commandsOf(registration);
  add("list", "list who may register, and whether devices need tokens").action(listPolicies);
  add("set <type>", "set the policy of a device type, or of '*': all types without their own")
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
    .action((type: string, { registration, tokens, ...flags }: PolicyFlags) =>
      showPolicy(flags, `PUT ${policyPath(type)}`, { registration, tokens }),
    );
  add("reset <type>", "remove the policy of a device type: that of '*' applies").action(
    (type: string, flags: ServerFlags) => showPolicy(flags, `DELETE ${policyPath(type)}`),
  );
  add("devices [state]", `list devices by state: ${STATES.join(", ")}`).action(listDevices);
  for (const [kind, description] of BULK_ACTIONS) {
    withSelection(add(`${kind} [device...]`, description)).action(
      (ids: readonly string[], flags: SelectionFlags) => {
        const selection = readSelection(ids, flags);
        return "filter" in selection
          ? changeAll(kind, selection.filter, { kind }, flags)
          : change(kind, ids, flags);
      },
    );
  }
  add("forget-token <device...>", FORGET).action((ids: readonly string[], flags: ServerFlags) =>
    change("forget-token", ids, flags),
  );
  add("give-token <device>", "create a token for a client that is set up by hand, and print it once")
    .option("--type <type>", "its type, if the device is new")
    .action(giveToken);

  const addEnrolment = commandsOf(
    program.command("enrolment").description("manage the tokens with which new devices register"),
  );
  addEnrolment("create <name>", "create a token and print it once")
    .option("--type <type>", "only for devices of this type")
    .option("--count <n>", "maximum number of devices", wholeNumber)
    .option("--days <n>", "days until it expires (default: never)", wholeNumber)
    .action(createEnrolment);
  addEnrolment("list", "list the tokens").action(listEnrolments);
  addEnrolment("revoke <id>", "revoke a token; devices that registered with it stay").action(
    (id: string, flags: ServerFlags) =>
      show(
        flags,
        callServer<EnrolmentView>(flags, `DELETE /api/enrolment-tokens/${wholeNumber(id)}`),
        (revoked) => `enrolment token ${revoked.id} (${revoked.name}) is revoked`,
      ),
  );
}

function listPolicies(flags: ServerFlags): Promise<void> {
  const answer = callServer<{
    default: PolicyView;
    policies: PolicyView[];
    unvouched: { device_type: string; device_count: number }[];
  }>(flags, "GET /api/registration");
  return show(flags, answer, (all) => {
    const policies = [all.default, ...all.policies.filter(({ device_type }) => device_type !== "*")];
    printPolicies(policies);
    for (const { device_type, device_count } of all.unvouched) {
      const { registration } = policies.find((policy) => policy.device_type === device_type) ?? all.default;
      const opening = `${device_type}: ${registration === "open" ? "anyone can register as a device of this type; " : ""}`;
      printLine(yellow(`${opening}nobody vouched for ${plural(device_count, "device")} of it`));
    }
  });
}

const policyPath = (type: string): string => `/api/registration/${encodeURIComponent(type)}`;

const showPolicy = (flags: ServerFlags, line: string, body?: object): Promise<void> =>
  show(flags, callServer<PolicyView>(flags, line, body), (policy) => printPolicies([policy]));

const printPolicies = (policies: readonly PolicyView[]): void =>
  printRows(policies, { TYPE: "device_type", REGISTRATION: "registration", TOKENS: "tokens" });

function listDevices(state: string | undefined, flags: ServerFlags): Promise<void> {
  if (state !== undefined && !STATES.includes(state))
    throw new UsageError(`"${state}" is not a state: ${STATES.join(", ")}`);
  const line = `GET /api/device-identities${query({ limit: 500, state })}`;
  return show(
    flags,
    callServer<{ devices: Identity[]; total: number }>(flags, line),
    ({ devices, total }) => {
      printIdentities(devices);
      if (total > devices.length)
        printLine(`${devices.length} of ${total}: more with the API's limit and offset`);
    },
  );
}

function giveToken(id: string, flags: TokenFlags): Promise<void> {
  const line = `POST /api/device-identities/${encodeURIComponent(id)}/token`;
  const body = defined({ device_type: flags.type });
  return show(flags, callServer<Identity & { token: string }>(flags, line, body), (given) =>
    printSecret(given.token, `token of ${given.device_id} of type ${given.device_type}`),
  );
}

/** Exit status 1 if any device was refused; the others were changed. */
async function change(action: string, ids: readonly string[], flags: ServerFlags): Promise<void> {
  const body = { action, device_ids: ids };
  const line = "POST /api/device-identities/change";
  const answer = await callServer<{ results: readonly Identity[] }>(flags, line, body);
  await show(flags, answer, ({ results }) => printIdentities(results));
  if (answer.results.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

const printIdentities = (devices: readonly Identity[]): void =>
  printRows(devices, {
    DEVICE: "device_id",
    TYPE: "device_type",
    TOKEN: (device) => device.uses_token ?? false,
    STATE: (device) => device.error ?? device.state,
    "VOUCHED FOR BY": nameVoucher,
  });

const nameVoucher = ({ error, vouched_how: how, vouched_by: by }: Identity): string =>
  error !== undefined ? "" : how === null ? "nobody" : (by ?? how);

function createEnrolment(name: string, flags: EnrolmentFlags): Promise<void> {
  const { type: device_type, count: max_use_count, days: expires_in_days } = flags;
  const body = { name, ...defined({ device_type, max_use_count, expires_in_days }) };
  const created = callServer<EnrolmentView & { token: string }>(flags, "POST /api/enrolment-tokens", body);
  return show(flags, created, ({ id, token }) => printSecret(token, `enrolment token ${id}`));
}

function listEnrolments(flags: ServerFlags): Promise<void> {
  const answer = callServer<{ enrolment_tokens: EnrolmentView[] }>(flags, "GET /api/enrolment-tokens");
  return show(flags, answer, (listed) =>
    printRows(listed.enrolment_tokens, {
      ID: "id",
      NAME: "name",
      TYPE: (token) => token.device_type ?? "any",
      USED: ({ use_count: count, max_use_count: max }) => (max === null ? count : `${count} of ${max}`),
      EXPIRES: (token) => (token.revoked_at ? "revoked" : (toDay(token.expires_at) ?? "never")),
    }),
  );
}
