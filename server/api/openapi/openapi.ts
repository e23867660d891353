// The API's description, OpenAPI 3.1, generated from the schemas that validate: /api/docs for people, /api/docs/json for programs.

import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import type { Need } from "../../shared/permissions.js";
import { ERRORS } from "../answers.js";
import { DOCS_POLICY } from "../http/content-security-policy.js";
import type { Api, BySchema } from "../typed-app.js";
import { BODIES } from "./bodies.js";
import { type Document, finishDocument } from "./document.js";

const DOCS = "/api/docs";

/** Tags of routes, by the prefix of their path; the first match counts. */
const GROUPS: readonly (readonly [prefix: string, tag: string, about: string])[] = Object.freeze([
  ["/api/ota/admin", "Releases", "Upload, register, change and deactivate firmware; the log of attempts."],
  ["/api/ota", "Devices", "For devices: check, download, status."],
  ["/api/content", "Content", "What panels show."],
  ["/api/rollouts", "Rollouts", "Plan, start, stop and prove updates."],
  ["/api/v1", "Mesh", "Updates that a gateway distributes."],
  ["/api/arduino", "Other clients", "Arduino's HTTPUpdate, ESP Web Tools, ESPHome, hawkBit, pairs."],
  ["/api/web-tools", "Other clients", ""],
  ["/manifest", "Other clients", ""],
  ["/:tenant", "Other clients", ""],
  ["/{tenant}", "Other clients", ""],
  ["/api/webhooks", "Webhooks", "Receivers of signed events, and their deliveries."],
  ["/api/auth", "Accounts", "Sign in and out, users, tokens, audit."],
  ["/api/setup", "Accounts", ""],
  ["/api/users", "Accounts", ""],
  ["/api/tokens", "Accounts", ""],
  ["/api/audit", "Accounts", ""],
  ["/api", "Fleet", "Devices, types, events."],
  ["/", "Service", "Pages, health, metrics."],
]);

/**
 * Registers `routes` with their description, and the pages that show it.
 * @param prefix in front of every path, as clients see it
 */
export function describeApi(app: FastifyInstance, prefix: string, routes: (app: Api) => Promise<void>): void {
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Skyslot",
        version: "1",
        description:
          "Over-the-air updates for ESP32 devices. Errors are {error, message}: a code for programs and a sentence for people.",
      },
      servers: [{ url: prefix || "/" }],
      tags: GROUPS.filter(([, , about]) => about !== "").map(([, name, description]) => ({
        name,
        description,
      })),
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An access token or an API token." },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = (route.config as { readonly access?: Need } | undefined)?.access;
      return {
        url,
        schema: {
          ...schema,
          ...BODIES[keyOf(route.method, url)],
          response: { ...(schema?.response as object | undefined), ...ERRORS },
          tags: [GROUPS.find(([prefix]) => url.startsWith(prefix))?.[1] ?? "Service"],
          ...(access === undefined || access === "public"
            ? { security: [] }
            : access === "device"
              ? { security: [{}, { bearer: [] }] }
              : {
                  security: [{ bearer: [] }],
                  description: `${schema?.description ?? ""} Needs: ${access}.`.trim(),
                }),
        },
      };
    },
    transformObject: (document) =>
      "openapiObject" in document ? finishDocument(document.openapiObject as Document) : {},
  });
  app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "public" };
      route.schema = { ...route.schema, hide: true };
    });
    // Its redirects know no prefix.
    docs.addHook("onSend", async (_request, reply) => {
      const target = reply.getHeader("location");
      if (typeof target === "string" && target.startsWith("/"))
        reply.header("location", `${prefix}${target}`);
    });
    await docs.register(swaggerUi, {
      routePrefix: DOCS,
      indexPrefix: prefix,
      staticCSP: true,
      transformStaticCSP: () => DOCS_POLICY,
      uiConfig: { deepLinking: true, validatorUrl: null },
    });
  });
  app.register(async (described) => routes(described.withTypeProvider<BySchema>()));
}

/** A route for several methods goes by the first. */
const keyOf = (method: string | readonly string[], url: string): string => `${[method].flat()[0]} ${url}`;
