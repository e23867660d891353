// Answers that pages read are compressed: lists of devices, logs and events, the script and its style. Never compressed is what a device
// reads, what streams, and what has a secret in it: beside text that an attacker chooses, the length of an answer would tell of it
// (BREACH). Secrets are only in answers to POST and in what signs in.

import { constants } from "node:zlib";
import compress from "@fastify/compress";
import type { FastifyInstance, RouteOptions } from "fastify";

/** A third of the time of the default, for answers that are at most a few percent longer. */
const BROTLI_QUALITY = 4;
/** Bytes: a shorter answer is one packet anyway. */
const LEAST_BYTES = 1400;
const TEXT = /^(text\/|application\/(.+\+)?json)/;
/** Who signs in, and one-time links. */
const SECRET = /^\/(api\/auth|setup)/;

/** Before the routes that it is to hold for are added, in a plugin of their own. */
export async function compressReads(app: FastifyInstance): Promise<void> {
  app.addHook("onRoute", (route) => {
    if (!isRead(route)) route.compress = false;
  });
  await app.register(compress, {
    encodings: ["br", "gzip"],
    threshold: LEAST_BYTES,
    customTypes: TEXT,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
    globalDecompression: false,
  });
}

const isRead = ({ method, url, config }: RouteOptions): boolean =>
  [method].flat().every((each) => each === "GET" || each === "HEAD") &&
  config?.access !== "device" &&
  config?.isStream !== true &&
  !SECRET.test(url);
