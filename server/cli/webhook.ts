// `skyslot webhook`: receivers of a server's events, and their deliveries.

import { type Command, Option } from "commander";
import type { DeliveryView, WebhookView } from "../api/webhook-views.js";
import { defined } from "../shared/defined.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { bold, printLine, printRows, printSecret, show, UsageError, wholeNumber } from "./output.js";
import { toSecond } from "./times.js";

interface TargetFlags extends ServerFlags {
  readonly url?: string;
  readonly event?: readonly string[];
  readonly description?: string;
  readonly active?: boolean;
  readonly rotateSecret?: boolean;
}
interface DeliveriesFlags extends ServerFlags {
  readonly state?: string;
  readonly limit: number;
}
type WithSecret = WebhookView & { readonly secret?: string };

const PATH = "/api/webhooks";
const EVENTS = "kinds of events, such as update.failed; `update.*` matches all with this prefix, `*` all";

export function webhookCommand(program: Command): void {
  const add = commandsOf(program.command("webhook").description("manage receivers of signed events"));
  add("list", "list webhooks").action(list);
  add("add <url>", "send events to a URL; prints the signing secret once")
    .option("--event <kind...>", EVENTS, ["*"])
    .option("--description <text>", "for people")
    .action((url: string, flags: TargetFlags) => put(`POST ${PATH}`, { ...flags, url }));
  add("edit <id>", "change the events, the URL or the secret")
    .option("--url <url>", "new URL")
    .option("--event <kind...>", EVENTS)
    .option("--description <text>", "for people")
    .option("--active", "resume sending")
    .option("--no-active", "pause sending")
    .option("--rotate-secret", "renew the secret and print it once")
    .action((id: string, flags: TargetFlags) => put(`PATCH ${pathOf(id)}`, flags));
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

const pathOf = (id: string): string => `${PATH}/${wholeNumber(id)}`;

const list = (flags: ServerFlags): Promise<void> =>
  show(flags, callServer<{ webhooks: WebhookView[] }>(flags, `GET ${PATH}`), ({ webhooks }) =>
    printRows(webhooks, {
      ID: "id",
      SENDS: "is_active",
      WAITING: (one) => one.deliveries.pending,
      "GIVEN UP": (one) => one.deliveries.given_up,
      EVENTS: (one) => one.events.join(","),
      URL: (one) => (one.description === "" ? one.url : `${one.url}  (${one.description})`),
    }),
  );

function put(line: string, flags: TargetFlags): Promise<void> {
  const { url, event: events, description, active: is_active, rotateSecret: rotate_secret } = flags;
  const body = defined({ url, events, description, is_active, rotate_secret });
  if (Object.keys(body).length === 0)
    throw new UsageError("nothing to change: see `skyslot webhook edit --help`");
  return show(flags, callServer<WithSecret>(flags, line, body), (webhook) => {
    printLine(bold(`webhook ${webhook.id}: ${webhook.events.join(", ")} to ${webhook.url}`));
    if (webhook.secret !== undefined) printSecret(webhook.secret, "its secret");
  });
}

const test = (id: string, flags: ServerFlags): Promise<void> =>
  show(
    flags,
    callServer<DeliveryView>(flags, `POST ${pathOf(id)}/test`),
    (delivery) => `delivery ${delivery.id} is queued: skyslot webhook deliveries ${delivery.webhook_id}`,
  );

function listDeliveries(id: string, flags: DeliveriesFlags): Promise<void> {
  const { limit, state } = flags;
  const path = `${pathOf(id)}/deliveries${query({ limit, state })}`;
  const answer = callServer<{ deliveries: DeliveryView[]; total: number }>(flags, `GET ${path}`);
  return show(flags, answer, ({ deliveries, total }) => {
    printRows(deliveries, {
      ID: "id",
      TIME: (one) => toSecond(one.created_at),
      EVENT: "kind",
      TRIES: "attempt_count",
      STATE: (one) => [one.state.replace("_", " "), one.status_code, one.error].filter(Boolean).join(", "),
    });
    if (total > deliveries.length) printLine(`${deliveries.length} of ${total}: more with --limit`);
  });
}

const retry = (id: string, delivery: string, flags: ServerFlags): Promise<void> =>
  show(
    flags,
    callServer<DeliveryView>(flags, `POST ${pathOf(id)}/deliveries/${wholeNumber(delivery)}/retry`),
    (view) => `delivery ${view.id} (${view.kind}) is ${view.state.replace("_", " ")}`,
  );

async function remove(id: string, flags: ServerFlags): Promise<void> {
  await callServer(flags, `DELETE ${pathOf(id)}`);
  await show(flags, { id: wholeNumber(id), removed: true }, () => `webhook ${id} is removed`);
}
