// Bodies that the schemas of their routes do not fully describe, and which bodies are optional.

import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { ImageFields } from "../content-schemas.js";
import { FirmwarePatch, RegisterBody, UploadFields } from "../release-schemas.js";

const Binary = Type.String({ format: "binary" });
const form = (fields: TProperties) => Type.Object({ file: Binary, ...fields });
/** Every field is optional, but not all at once: the route checks that. */
const notEmpty = (body: TObject) => Type.Object(body.properties, { minProperties: 1 });
const Text = Type.Optional(Type.String());

/** Bodies that routes check themselves: forms with a file, and changes that must not be empty. */
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
  "POST /api/ota/admin/firmware": { body: notEmpty(RegisterBody) },
  "PATCH /api/ota/admin/firmware/:id": { body: notEmpty(FirmwarePatch) },
});

/** A body without required fields: see validateWithTypeBox. */
export const mayBeLeftOut = ({ type, required = [], minProperties = 0 }: Partial<TSchema>): boolean =>
  type === "object" && required.length === 0 && minProperties === 0;
