// Sends a firmware image, for every route: whole, a range, several ranges (multipart/byteranges), headers only (HEAD), or nothing if
// the client has it (304). RFC 9110 §§8.8, 13, 14, 15.3.7. Every answer has a length and is never
// chunked: the HTTP client of the Moddable SDK ends such bodies wrongly.

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { begin, exactly } from "../../blobs/exactly.js";
import { Refusal } from "../../shared/refusal.js";
import type { Firmware } from "../../store/store.js";
import type { Context } from "../context.js";
import { requireAccess } from "../image-access.js";
import { hasIt } from "./conditions.js";
import { type Part, readRange } from "./range.js";

/** A deactivated firmware must disappear from caches within minutes. */
export const SHORT_CACHING = "public, max-age=300";
/** For requests with a token: shared caches must not store it. */
export const PRIVATE_CACHING = "private, max-age=300";
/** Content-addressed files never change. */
export const IMMUTABLE_CACHING = "public, max-age=31536000, immutable";

const TYPE = "application/octet-stream";

export interface SendOptions {
  readonly caching: string;
  /** The client does not follow redirects. */
  readonly isDirect?: boolean;
  /** The requesting device, if the request names it. */
  readonly deviceId?: string | undefined;
}

/** @throws Refusal TOKEN_REQUIRED, FORBIDDEN, DEVICE_…, FIRMWARE_INACTIVE, RANGE_NOT_SATISFIABLE */
export async function sendImage(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  firmware: Firmware,
  { caching, isDirect = false, deviceId }: SendOptions,
): Promise<FastifyReply> {
  const audience = await admit(request, reply, context, firmware, deviceId);
  const elsewhere = isDirect ? undefined : await findElsewhere(context, firmware, audience);
  if (elsewhere !== undefined) {
    context.metrics.downloads.inc({ kind: "elsewhere" });
    return reply.header("cache-control", "no-store").redirect(elsewhere, 302);
  }
  const { fileHash, fileSize } = firmware;
  const etag = `"${fileHash}"`;
  reply
    .header("accept-ranges", "bytes")
    .header("etag", etag)
    .header("cache-control", audience === "everybody" ? caching : PRIVATE_CACHING);
  if (hasIt(request.headers["if-none-match"], etag)) return reply.code(304).send();
  const answer = readRange(
    request.headers.range,
    request.headers["if-range"] as string | undefined,
    etag,
    fileSize,
  );
  if (answer.kind === "unsatisfiable") throw rangeNotSatisfiable(request, reply, fileSize);
  if (request.method !== "HEAD") context.metrics.downloads.inc({ kind: answer.kind });
  switch (answer.kind) {
    case "whole":
      return send(request, reply.type(TYPE), context, firmware, { start: 0, end: fileSize - 1 });
    case "part":
      reply.type(TYPE).code(206).header("content-range", contentRange(answer, fileSize));
      return send(request, reply, context, firmware, answer);
    case "parts":
      return sendParts(request, reply.code(206), context, firmware, answer.parts);
  }
}

/** Checks access to an image and what is derived from it. @throws Refusal TOKEN_REQUIRED, FORBIDDEN, DEVICE_…, FIRMWARE_INACTIVE */
export async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  firmware: Firmware,
  deviceId: string | undefined,
): Promise<"everybody" | "known"> {
  const audience = await requireAccess(request, context, { deviceType: firmware.deviceType, deviceId });
  // Pages that flash devices (ESP Web Tools) may be on another origin; public images are no secret.
  if (audience === "everybody") reply.header("access-control-allow-origin", "*");
  if (!firmware.isActive) throw new Refusal("FIRMWARE_INACTIVE", `firmware ${firmware.id} was deactivated`);
  return audience;
}

export function rangeNotSatisfiable(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  sizeBytes: number,
): Refusal {
  reply.header("content-range", `bytes */${sizeBytes}`).header("cache-control", "no-store");
  const message = `file is ${sizeBytes} bytes, asked for ${headers.range}`;
  return new Refusal("RANGE_NOT_SATISFIABLE", message);
}

/** The URL of a cache or blob store with the same file. A cache checks no tokens, so it is used for public images only. */
async function findElsewhere(
  { settings, blobs }: Context,
  firmware: Firmware,
  audience: "everybody" | "known",
): Promise<string | undefined> {
  const { downloadsFrom } = settings;
  if (downloadsFrom === undefined) return undefined;
  if (downloadsFrom === "link") return blobs.link?.(firmware.fileHash);
  if (audience === "known") return undefined;
  return `${downloadsFrom.replace(/\/+$/, "")}/${firmware.binaryPath}`;
}

export const contentRange = ({ start, end }: Part, sizeBytes: number): string =>
  `bytes ${start}-${end}/${sizeBytes}`;

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  firmware: Firmware,
  { start, end }: Part,
): Promise<FastifyReply> {
  reply.header("content-length", end - start + 1);
  if (request.method === "HEAD") return reply.send();
  const bytes = await context.hot.load(firmware.fileHash, firmware.fileSize);
  if (bytes) {
    context.metrics.downloadBytes.inc(end - start + 1);
    return reply.send(bytes.subarray(start, end + 1));
  }
  return reply.send(count(await begin(readPart(context, firmware, { start, end })), context));
}

async function sendParts(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  firmware: Firmware,
  parts: readonly Part[],
): Promise<FastifyReply> {
  const boundary = randomUUID();
  const heads = parts.map((part, at) =>
    Buffer.from(
      `${at === 0 ? "" : "\r\n"}--${boundary}\r\ncontent-type: ${TYPE}\r\n` +
        `content-range: ${contentRange(part, firmware.fileSize)}\r\n\r\n`,
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const partBytes = parts.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  const headBytes = heads.reduce((sum, { length }) => sum + length, tail.length);
  reply.type(`multipart/byteranges; boundary=${boundary}`).header("content-length", partBytes + headBytes);
  if (request.method === "HEAD") return reply.send();
  const first = await begin(readPart(context, firmware, parts[0] as Part));
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (const [at, part] of parts.entries()) {
      yield heads[at] as Buffer;
      yield* at === 0 ? first : readPart(context, firmware, part);
    }
    yield tail;
  };
  const sent = Readable.from(body(), { objectMode: false }).once("close", () => first.destroy());
  return reply.send(count(sent, context));
}

/** A truncated file ends the connection, and is logged. */
const readPart = (
  { blobs }: Context,
  { fileHash }: Firmware,
  { start, end }: Part,
): AsyncIterable<Uint8Array> => exactly(blobs.read(fileHash, { start, end }), end - start + 1, fileHash);

function count(body: Readable, { metrics }: Context): Readable {
  body.on("data", (chunk: Uint8Array) => metrics.downloadBytes.inc(chunk.length));
  return body.pause();
}
