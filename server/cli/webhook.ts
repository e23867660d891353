// `skyslot webhook`: receivers of a server's events, and their deliveries.

import { type Command, Option } from "commander";
import type { DeliveryView, WebhookView } from "../api/webhook-views.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { bold, printJson, printLine, printTable, UsageError, wholeNumber } from "./output.js";

interface Flags extends ServerFlags {
  readonly json?: boolean;
}
interface TargetFlags extends Flags {
  readonly url?: string;
  readonly event?: readonly string[];
  readonly description?: string;
  readonly active?: boolean;
  readonly rotateSecret?: boolean;
}
interface DeliveriesFlags extends Flags {
  readonly state?: string;
  readonly limit: number;
}
type WithSecret = WebhookView & { readonly secret?: string };

const PATH = "/api/webhooks";
const EVENTS = "kinds of events, such as update.failed; `update.*` matches all with this prefix, `*` all";

export function webhookCommand(program: Command): void {
  const webhook = program.command("webhook").description("manage receivers of signed events");
  const add = (usage: string, description: string) =>
    withServer(webhook.command(usage).description(description)).option("--json", "print JSON");
  add("list", "list webhooks").action(list);
  add("add <url>", "send events to a URL; prints the signing secret once")
    .option("--event <kind...>", EVENTS, ["*"])
    .option("--description <text>", "for people")
    .action((url: string, flags: TargetFlags) => put("POST", PATH, { ...flags, url }));
  add("edit <id>", "change the events, the URL or the secret")
    .option("--url <url>", "new URL")
    .option("--event <kind...>", EVENTS)
    .option("--description <text>", "for people")
    .option("--active", "resume sending")
    .option("--no-active", "pause sending")
    .option("--rotate-secret", "renew the secret and print it once")
    .action((id: string, flags: TargetFlags) => put("PATCH", `${PATH}/${wholeNumber(id)}`, flags));
  add("test <id>", "send a test event").action(test);
  add("deliveries <id>", "list deliveries, newest first")
    .addOption(
      new Option("--state <state>", "only in this state").choices([
        "pending",
        "delivered",
        "given_up",
        "dropped",
      ]),
    )
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 20)
    .action(listDeliveries);
  add("retry <id> <delivery>", "retry a delivery").action(retry);
  add("remove <id>", "remove a webhook and its deliveries").action(remove);
}

async function list(flags: Flags): Promise<void> {
  const answer = (await callServer(flags, PATH)) as { readonly webhooks: readonly WebhookView[] };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "SENDS", "WAITING", "GIVEN UP", "EVENTS", "URL"],
    answer.webhooks.map((one) => [
      `${one.id}`,
      one.is_active ? "yes" : "no",
      `${one.deliveries.pending}`,
      `${one.deliveries.given_up}`,
      one.events.join(","),
      one.description === "" ? one.url : `${one.url}  (${one.description})`,
    ]),
  );
}

async function put(method: "POST" | "PATCH", path: string, flags: TargetFlags): Promise<void> {
  const body = {
    ...(flags.url === undefined ? {} : { url: flags.url }),
    ...(flags.event === undefined ? {} : { events: flags.event }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.active === undefined ? {} : { is_active: flags.active }),
    ...(flags.rotateSecret ? { rotate_secret: true } : {}),
  };
  if (Object.keys(body).length === 0)
    throw new UsageError("nothing to change: see `skyslot webhook edit --help`");
  const webhook = (await callServer(flags, path, jsonRequest(method, body))) as WithSecret;
  if (flags.json) return printJson(webhook);
  printLine(bold(`webhook ${webhook.id}: ${webhook.events.join(", ")} to ${webhook.url}`));
  if (webhook.secret === undefined) return;
  printLine(webhook.secret);
  process.stderr.write("its secret; it is not shown again\n");
}

async function test(id: string, flags: Flags): Promise<void> {
  const path = `${PATH}/${wholeNumber(id)}/test`;
  const delivery = (await callServer(flags, path, { method: "POST" })) as DeliveryView;
  if (flags.json) printJson(delivery);
  else printLine(`delivery ${delivery.id} is queued: skyslot webhook deliveries ${delivery.webhook_id}`);
}

async function listDeliveries(id: string, flags: DeliveriesFlags): Promise<void> {
  const query = new URLSearchParams({
    limit: `${flags.limit}`,
    ...(flags.state ? { state: flags.state } : {}),
  });
  const answer = (await callServer(flags, `${PATH}/${wholeNumber(id)}/deliveries?${query}`)) as {
    readonly deliveries: readonly DeliveryView[];
    readonly total: number;
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "TIME", "EVENT", "TRIES", "STATE"],
    answer.deliveries.map((one) => [
      `${one.id}`,
      one.created_at.slice(0, 19).replace("T", " "),
      one.kind,
      `${one.attempt_count}`,
      [one.state.replace("_", " "), one.status_code, one.error].filter(Boolean).join(", "),
    ]),
  );
  if (answer.total > answer.deliveries.length)
    printLine(`${answer.deliveries.length} of ${answer.total}: more with --limit`);
}

async function retry(id: string, delivery: string, flags: Flags): Promise<void> {
  const path = `${PATH}/${wholeNumber(id)}/deliveries/${wholeNumber(delivery)}/retry`;
  const view = (await callServer(flags, path, { method: "POST" })) as DeliveryView;
  if (flags.json) printJson(view);
  else printLine(`delivery ${view.id} (${view.kind}) is ${view.state.replace("_", " ")}`);
}

async function remove(id: string, flags: Flags): Promise<void> {
  await callServer(flags, `${PATH}/${wholeNumber(id)}`, { method: "DELETE" });
  if (flags.json) printJson({ id: wholeNumber(id), removed: true });
  else printLine(`webhook ${id} is removed`);
}
