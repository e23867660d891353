// Uploads of pictures: a multipart form with a name and a binary PBM. The browser has cropped, scaled and dithered it; here it is validated
// and normalised, so that the same dots are the same file.

import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { pbmHeader, pbmRowBytes, readPbmHeader } from "../../firmware/apps/cms/core/pbm.js";
import { BlobTooLarge } from "../blobs/blobs.js";
import { checkPicture, MAX_PICTURE_BYTES } from "../content/content.js";
import { recordChange } from "../events/journal.js";
import { REGISTERING } from "../releases/add-release.js";
import { Refusal } from "../shared/refusal.js";
import type { ContentImage } from "../store/store.js";
import { ImageFields } from "./content-schemas.js";
import { viewImage } from "./content-views.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { partsOf, received } from "./http/multipart.js";
import { parseText } from "./validate.js";

/** Limits the length of lists and the disk space. */
const MAX_IMAGE_COUNT = 2000;

export async function takePicture(request: FastifyRequest, context: Context): Promise<ContentImage> {
  const { name, pbm } = await receivePicture(request);
  const { width, height } = readPbmHeader(pbm)!;
  const { store, blobs } = context;
  const actor = actorOf(request);
  return store.exclusive(REGISTERING, async () => {
    const { totalCount } = await store.listContentImages({ limit: 1, offset: 0 });
    if (totalCount >= MAX_IMAGE_COUNT)
      throw new Refusal("IMAGE_LIMIT", `there are already ${totalCount} pictures: delete some first`);
    const blob = await blobs.put(Readable.from([pbm]), MAX_PICTURE_BYTES);
    return recordChange(context, actor, async (journal) => {
      const image = await journal.store.addContentImage({
        name,
        width,
        height,
        hash: blob.sha256,
        sizeBytes: blob.sizeBytes,
        createdBy: actor.name,
        createdAt: journal.time,
      });
      await journal.audit({
        action: "content.uploaded",
        subject: `content-image/${image.id}`,
        after: viewImage(image),
      });
      return image;
    });
  });
}

async function receivePicture(request: FastifyRequest): Promise<{ name: string; pbm: Buffer }> {
  if (!request.isMultipart())
    throw new Refusal("MEDIA_TYPE_UNKNOWN", "send multipart/form-data with the parts name and file");
  const values: Record<string, unknown> = {};
  let bytes: Buffer | undefined;
  for await (const part of partsOf(request)) {
    if (part.type === "field") values[part.fieldname] = part.value;
    else if (part.fieldname !== "file" || bytes)
      throw new Refusal(
        "INVALID_REQUEST",
        `file part "${part.fieldname?.slice(0, 64) ?? ""}" is not expected`,
      );
    else bytes = await readBounded(received(part.file), MAX_PICTURE_BYTES);
  }
  if (!bytes) throw new Refusal("FILE_MISSING", "part file is missing: the picture as binary PBM");
  const fields = parseText(ImageFields, values);
  if (typeof fields === "string") throw new Refusal("INVALID_REQUEST", fields);
  try {
    checkPicture(bytes, "the picture");
  } catch (error) {
    throw new Refusal("PICTURE_INVALID", (error as Error).message);
  }
  return { name: fields.name, pbm: normalize(bytes) };
}

async function readBounded(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new BlobTooLarge(`a picture has at most ${maxBytes} bytes, this has more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Removes comments from the header, and clears the padding bits of rows. */
function normalize(pbm: Uint8Array): Buffer {
  const { width, height, offset } = readPbmHeader(pbm)!;
  const rows = Buffer.from(pbm.subarray(offset));
  const rowBytes = pbmRowBytes(width);
  const spareBits = rowBytes * 8 - width;
  for (let at = rowBytes - 1; spareBits > 0 && at < rows.length; at += rowBytes)
    rows[at]! &= 0xff << spareBits;
  return Buffer.concat([Buffer.from(pbmHeader(width, height)), rows]);
}
