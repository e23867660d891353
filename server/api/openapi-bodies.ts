// Bodies that are no JSON or may be left out, for the description of the API: their routes read them by themselves.

import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { ImageFields } from "./content-schemas.js";
import { COMMANDS } from "./openapi-answers.js";
import { ReasonBody } from "./rollout-schemas.js";
import { UploadFields } from "./schemas.js";

export const Binary = Type.String({ format: "binary" });
const form = (fields: TProperties) => Type.Object({ file: Binary, ...fields });
const Text = Type.Optional(Type.String());

/** Bodies that routes read by themselves: forms with a file, and reasons that may be left out. */
export const BODIES: Readonly<
  Record<string, { readonly body: TSchema; readonly consumes?: readonly string[] }>
> = Object.freeze({
  ...Object.fromEntries(
    [
      ["/api/ota/admin/upload", form(UploadFields.properties)] as const,
      [
        "/api/v1/firmware/upload",
        form({ node_type: Type.String(), version: Type.String(), release_notes: Text, hardware: Text }),
      ] as const,
      ["/api/content-admin/images", form(ImageFields.properties)] as const,
    ].map(([url, body]) => [`POST ${url}`, { body, consumes: ["multipart/form-data"] }]),
  ),
  ...Object.fromEntries(
    COMMANDS.map((kind) => [
      `POST /api/rollouts/:id/${kind}`,
      { body: Type.Object(ReasonBody.properties, { description: "May be left out" }) },
    ]),
  ),
});

/** What is sent that is no JSON. */
export const MEDIA_TYPES: Readonly<Record<string, string>> = Object.freeze({
  "GET /api/ota/download/:id": "application/octet-stream",
  "GET /api/ota/files/:sha256": "application/octet-stream",
  "GET /api/arduino/:type": "application/octet-stream",
  "GET /:tenant/controller/v1/:id/deploymentBase/:action/artifacts/:filename": "application/octet-stream",
  "GET /api/content/:id": "image/x-portable-bitmap",
  "GET /api/content-admin/images/:id": "image/x-portable-bitmap",
  "GET /api/events/stream": "text/event-stream",
  "GET /metrics": "text/plain",
});
