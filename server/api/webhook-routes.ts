// Webhooks: receivers of events, their deliveries, and retries. Secrets are returned only once, when they are created.

import { Type } from "@sinclair/typebox";
import { hashSecret } from "../auth/secret.js";
import { type Journal, recordChange } from "../events/journal.js";
import { queueMessage } from "../events/webhooks/queue.js";
import { makeSecret } from "../events/webhooks/signature.js";
import { readTarget, TargetRefused } from "../events/webhooks/target.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { Store, Webhook } from "../store/store.js";
import { accepted, created, listed, listOf, ok, page, removed } from "./answers.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { Exactly, IdParams, literals, Page, Text } from "./schemas.js";
import type { Api } from "./typed-app.js";
import {
  ChangedWebhookView,
  DELIVERY_STATES,
  DeliveryView,
  NewWebhookView,
  viewDelivery,
  viewWebhook,
  WebhookView,
} from "./webhook-views.js";

const MAX_WEBHOOK_COUNT = 50;
const MAX_URL_LENGTH = 2048;

const Url = Type.String({ minLength: 1, maxLength: MAX_URL_LENGTH });
const Events = Type.Array(Type.String({ pattern: "^([a-z0-9_.-]{1,63}|[a-z0-9_.-]{0,63}\\*)$" }), {
  minItems: 1,
  maxItems: 50,
  description: "kinds of events, such as update.failed; update.* matches all with this prefix, * all",
});
const NewWebhookBody = Exactly({
  url: Url,
  events: Events,
  description: Type.Optional(Text(200)),
  is_active: Type.Optional(Type.Boolean()),
});
const WebhookPatch = Exactly({
  url: Type.Optional(Url),
  events: Type.Optional(Events),
  description: Type.Optional(Text(200)),
  is_active: Type.Optional(Type.Boolean()),
  rotate_secret: Type.Optional(Type.Boolean({ description: "true: a new secret, returned in the answer" })),
});
const DeliveryParams = Type.Object({
  id: IdParams.properties.id,
  delivery_id: IdParams.properties.id,
});
const DeliveriesQuery = Type.Object({
  state: Type.Optional(literals(DELIVERY_STATES)),
  ...Page,
});

const PREFIX = "/api/webhooks";

/** They are sent the events of every type. */
const config = Object.freeze({ isOfAllTypes: true });

/** Only administrators may list webhooks: their URLs often contain secrets. */
export function webhookRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    PREFIX,
    route("settings:write", "List webhooks", ok(listed("webhooks", WebhookView)), { config }),
    async () => ({
      webhooks: await Promise.all((await store.listWebhooks()).map((webhook) => describe(webhook))),
    }),
  );

  app.post(
    PREFIX,
    route(
      "settings:write",
      "Add a webhook; its secret is shown in the answer, and never again",
      created(NewWebhookView),
      { body: NewWebhookBody, config },
    ),
    async (request, reply) => {
      const { body } = request;
      const url = requireTarget(body.url);
      const webhook = await recordChange(context, actorOf(request), async (journal) => {
        if ((await journal.store.listWebhooks()).length >= MAX_WEBHOOK_COUNT)
          throw new Refusal("TOO_MANY_WEBHOOKS", `there are ${MAX_WEBHOOK_COUNT} webhooks, the limit`);
        const added = await journal.store.addWebhook({
          url,
          events: body.events,
          secret: makeSecret(),
          description: body.description ?? "",
          isActive: body.is_active ?? true,
          createdAt: journal.time,
        });
        await logChange(journal, "webhook.added", undefined, added);
        return added;
      });
      return reply.code(201).send({ ...(await describe(webhook)), secret: webhook.secret });
    },
  );

  app.get(
    `${PREFIX}/:id`,
    route("settings:write", "Show a webhook", ok(WebhookView), { params: IdParams, config }),
    async ({ params }) => describe(await find(store, params.id)),
  );

  app.patch(
    `${PREFIX}/:id`,
    route("settings:write", "Change a webhook, or renew its secret", ok(ChangedWebhookView), {
      params: IdParams,
      body: WebhookPatch,
      config,
    }),
    async (request) => {
      const { params, body } = request;
      const changes = defined({
        url: body.url === undefined ? undefined : requireTarget(body.url),
        events: body.events,
        description: body.description,
        isActive: body.is_active,
        secret: body.rotate_secret ? makeSecret() : undefined,
      });
      const webhook = await recordChange(context, actorOf(request), async (journal) => {
        const known = await find(journal.store, params.id);
        const changed = (await journal.store.changeWebhook(known.id, changes, journal.time)) ?? known;
        await logChange(journal, "webhook.changed", known, changed);
        return changed;
      });
      return { ...(await describe(webhook)), ...(body.rotate_secret ? { secret: webhook.secret } : {}) };
    },
  );

  app.delete(
    `${PREFIX}/:id`,
    route("settings:write", "Remove a webhook with its deliveries", removed, {
      params: IdParams,
      config,
    }),
    async (request, reply) => {
      const { params } = request;
      await recordChange(context, actorOf(request), async (journal) => {
        const webhook = await find(journal.store, params.id);
        await journal.store.removeWebhook(webhook.id);
        await logChange(journal, "webhook.removed", webhook, undefined);
      });
      return reply.code(204).send();
    },
  );

  // Queues a test delivery.
  app.post(
    `${PREFIX}/:id/test`,
    route("settings:write", "Send a test event to a webhook", accepted(DeliveryView, "Queued"), {
      params: IdParams,
      config,
    }),
    async (request, reply) => {
      const { params } = request;
      const delivery = await recordChange(context, actorOf(request), async (journal) => {
        const webhook = await find(journal.store, params.id);
        const message = `a test of webhook ${webhook.id}`;
        const event = await journal.store.addEvent({ time: journal.time, kind: "webhook.test", message });
        await journal.audit({ action: "webhook.tested", subject: `webhook/${webhook.id}` });
        return queueMessage(journal.store, webhook.id, event);
      });
      return reply.code(202).send(viewDelivery(delivery));
    },
  );

  app.get(
    `${PREFIX}/:id/deliveries`,
    route(
      "settings:write",
      "List the deliveries of a webhook, newest first",
      ok(listOf("deliveries", DeliveryView)),
      { params: IdParams, querystring: DeliveriesQuery, config },
    ),
    async ({ params, query }) => {
      const { id } = await find(store, params.id);
      const filter = { webhookId: id, ...defined({ state: query.state }) };
      return page("deliveries", await store.listDeliveries(filter, query), viewDelivery, query);
    },
  );

  app.post(
    `${PREFIX}/:id/deliveries/:delivery_id/retry`,
    route("settings:write", "Retry a delivery", ok(DeliveryView), {
      params: DeliveryParams,
      config,
    }),
    async (request) => {
      const { params } = request;
      const delivery = await recordChange(context, actorOf(request), async (journal) => {
        const known = await journal.store.findDelivery(params.delivery_id);
        if (known?.webhookId !== params.id)
          throw new Refusal("DELIVERY_UNKNOWN", `webhook ${params.id} has no delivery ${params.delivery_id}`);
        const subject = `webhook/${params.id}/delivery/${known.id}`;
        await journal.audit({ action: "webhook.retried", subject });
        return (await journal.store.retryDelivery(known.id, journal.time)) ?? known;
      });
      return viewDelivery(delivery);
    },
  );

  async function describe(webhook: Webhook) {
    return { ...viewWebhook(webhook), deliveries: await store.countDeliveries(webhook.id) };
  }
}

/** The log, which other users read, contains only the host: the rest of such URLs is often secret. */
async function logChange(
  journal: Journal,
  action: string,
  before: Webhook | undefined,
  after: Webhook | undefined,
): Promise<void> {
  const { id, url } = (after ?? before)!;
  await journal.log({
    kind: action,
    message: `${action} ${id} (${new URL(url).host})`,
    detail: { webhook_id: id },
  });
  await journal.audit({
    action,
    subject: `webhook/${id}`,
    before: before && viewForAudit(before),
    after: after && viewForAudit(after),
  });
}

/** The audit log omits the secret, but notes its change; of the URL it has the origin, and a hash that shows changes. */
const viewForAudit = (webhook: Webhook) => ({
  ...viewWebhook(webhook),
  url: `${new URL(webhook.url).origin}/… (${hashSecret(webhook.url).slice(0, 8)})`,
  secret: webhook.secret,
});

/** @throws Refusal WEBHOOK_UNKNOWN */
async function find(store: Pick<Store, "findWebhook">, id: number): Promise<Webhook> {
  const webhook = await store.findWebhook(id);
  if (!webhook) throw new Refusal("WEBHOOK_UNKNOWN", `webhook ${id} does not exist`);
  return webhook;
}

function requireTarget(url: string): string {
  try {
    return readTarget(url);
  } catch (error) {
    if (error instanceof TargetRefused) throw new Refusal("TARGET_REFUSED", error.message);
    throw error;
  }
}
