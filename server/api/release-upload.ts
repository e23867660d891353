// Uploads of firmware: streamed to the blob store, checked, registered. A refused file is removed.

import type { Static } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { readRelease } from "../../release/signing.js";
import { requireChange, requireScope } from "../auth/require-change.js";
import type { Blob, PutBlob } from "../blobs/blobs.js";
import { recordChange } from "../events/journal.js";
import { addFirmware, checkFirmware, REGISTERING } from "../releases/add-release.js";
import { setTypeKind } from "../releases/device-type.js";
import type { FirmwareFields } from "../releases/firmware-fields.js";
import { findTrust } from "../releases/trust.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware } from "../store/store.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { partsOf, received } from "./http/multipart.js";
import { FILE_NAME, type RegisterBody, UploadFields } from "./release-schemas.js";
import { viewFirmware } from "./release-views.js";
import { parseText } from "./validate.js";

/** Maps form fields of other clients to the names used here. */
export type FieldNames = Readonly<Record<string, string>>;

/** A multipart upload with the part `file` and, before or after it, the fields of UploadFields. @throws Refusal */
export async function uploadFirmware(
  request: FastifyRequest,
  context: Context,
  names: FieldNames = {},
  defaults: Partial<FirmwareFields> = {},
): Promise<Firmware> {
  const { fields: given, blob } = await receiveUpload(request, context, names);
  const fields = { ...defaults, ...given };
  return takeOrForget(context, actorOf(request), fields, blob);
}

/** Registers a release whose file is already in the blob store. */
export async function registerKnown(
  request: FastifyRequest,
  context: Context,
  body: Static<typeof RegisterBody>,
): Promise<Firmware> {
  const sha256 = body.file_hash ?? (body.release && readRelease(body.release.trim()).release.sha256);
  if (!sha256)
    throw new Refusal("FIELD_MISSING", "file_hash is missing: firmware without a manifest needs it");
  const actor = actorOf(request);
  // A hash gives nobody the file of a type that they may not access: to them it is not here.
  const blob = (await mayUse(context, actor, sha256)) ? await context.blobs.stat(sha256) : undefined;
  if (!blob) throw new Refusal("FILE_UNKNOWN", `no file with SHA-256 ${sha256} is stored here: upload it`);
  if (body.file_size !== undefined && body.file_size !== blob.sizeBytes)
    throw new Refusal(
      "FIELD_MISMATCH",
      `file_size is ${body.file_size}, the stored file has ${blob.sizeBytes} bytes`,
    );
  return take(context, actor, body, blob);
}

/** Whether an actor has access to a type that uses a file. */
async function mayUse({ store }: Context, { deviceTypes }: Actor, fileHash: string): Promise<boolean> {
  if (deviceTypes === null) return true;
  for (const deviceType of deviceTypes)
    if ((await store.listFirmware({ fileHash, deviceType }, ONE)).totalCount > 0) return true;
  return false;
}

const ONE = Object.freeze({ limit: 1, offset: 0 });

async function receiveUpload(
  request: FastifyRequest,
  context: Context,
  names: FieldNames,
): Promise<{ readonly fields: FirmwareFields; readonly blob: PutBlob }> {
  const { blobs, settings } = context;
  if (!request.isMultipart()) {
    throw new Refusal("MEDIA_TYPE_UNKNOWN", "send multipart/form-data with the parts file and release");
  }
  const values: { release?: unknown; filename?: unknown; [name: string]: unknown } = {};
  let blob: PutBlob | undefined;
  try {
    for await (const part of partsOf(request)) {
      if (part.type === "field") values[names[part.fieldname] ?? part.fieldname] = part.value;
      else if (part.fieldname !== "file" || blob)
        throw new Refusal(
          "INVALID_REQUEST",
          `file part "${part.fieldname?.slice(0, 64) ?? ""}" is not expected`,
        );
      else {
        values.filename ??= usableName(part.filename);
        blob = await blobs.put(received(part.file), settings.maxImageBytes);
      }
    }
    if (!blob) throw new Refusal("FILE_MISSING", "part file is missing: the firmware image");
    const fields = parseText(UploadFields, values);
    if (typeof fields === "string") throw new Refusal("INVALID_REQUEST", fields);
    return { fields, blob };
  } catch (error) {
    if (blob) await forgetUnused(context, blob);
    throw error;
  }
}

/** What a client's file may be called here; `undefined`: nothing is left of its name. */
function usableName(name = ""): string | undefined {
  const usable = name
    .replace(/[^A-Za-z0-9._+-]/g, "_")
    .replace(/^\.+|\.+$/g, "")
    .slice(0, 128);
  return FILE_NAME.test(usable) ? usable : undefined;
}

/** A refused file is removed, unless it was here before. */
async function takeOrForget(
  context: Context,
  actor: Actor,
  fields: FirmwareFields,
  blob: PutBlob,
): Promise<Firmware> {
  try {
    return await take(context, actor, fields, blob);
  } catch (error) {
    await forgetUnused(context, blob);
    throw error;
  }
}

/** Removes a file unless it is registered: a concurrent upload of the same file may have done so. */
function forgetUnused({ store, blobs }: Context, blob: PutBlob): Promise<void> {
  return store.exclusive(REGISTERING, async (confirm) => {
    if (!blob.isNew) return;
    const used = await store.findUsedBlobs([blob.sha256]);
    if (used.has(blob.sha256)) return;
    await confirm();
    await blobs.remove(blob.sha256);
  });
}

/** Serialised, so that no file is removed between its check and its registration. */
function take(context: Context, actor: Actor, fields: FirmwareFields, blob: Blob): Promise<Firmware> {
  const { store, blobs, settings } = context;
  return store.exclusive(REGISTERING, async () => {
    if (!(await blobs.stat(blob.sha256))) {
      throw new Refusal(
        "FILE_GONE",
        "another upload of this file was refused at the same time: upload it again",
      );
    }
    const trust = await findTrust(store, settings.trustedKeys);
    const checked = await checkFirmware(fields, blob, blobs, store, trust);
    requireChange(actor, checked);
    const makesLegacy = fields.legacy === true && fields.release === undefined;
    if (makesLegacy) requireScope(actor, "settings:write");
    return recordChange(context, actor, async (journal) => {
      if (makesLegacy) await setTypeKind(journal, checked.deviceType, "legacy");
      const firmware = await addFirmware(journal, checked);
      await journal.audit({
        action: "firmware.uploaded",
        subject: `firmware/${firmware.id}`,
        after: viewFirmware(firmware, context),
      });
      return firmware;
    });
  });
}
