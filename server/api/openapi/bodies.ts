// Bodies of which routes ask more than their schemas say, for the description of the API; and which bodies may be left out.

import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { ImageFields } from "../content-schemas.js";
import { FirmwarePatch, RegisterBody, UploadFields } from "../release-schemas.js";

const Binary = Type.String({ format: "binary" });
const form = (fields: TProperties) => Type.Object({ file: Binary, ...fields });
/** Any of its fields may be left out, but not all: the route itself says so. */
const notEmpty = (body: TObject) => Type.Object(body.properties, { minProperties: 1 });
const Text = Type.Optional(Type.String());

/** Bodies that routes read by themselves: forms with a file, and changes of something at least. */
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

/** A body in which nothing has to be: see validateWithTypeBox. */
export const mayBeLeftOut = ({ type, required = [], minProperties = 0 }: Partial<TSchema>): boolean =>
  type === "object" && required.length === 0 && minProperties === 0;
