// Sends one delivery: no redirect is followed, and neither a slow nor an endless answer holds it up. What is answered is not read.

import { lookup } from "node:dns";
import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { readTarget, requireAllowed } from "./target.js";

interface Posted {
  /** Of the answer. */
  readonly status: number;
}

/** Rejects when there was no answer. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Posted>;

/** Longest answer that is waited for; what is longer is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024;

interface PostOptions {
  /** From the look-up of the name to the end of the answer. */
  readonly timeoutMs: number;
  /** Looks names up; absent: as this machine does. */
  readonly resolve?: typeof lookup;
}

export function createPost({ timeoutMs, resolve = lookup }: PostOptions): Post {
  return async (url, headers, body) => {
    const target = new URL(readTarget(url));
    const signal = AbortSignal.timeout(timeoutMs);
    const options: RequestOptions = {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      // A connection of its own: nothing is left open between deliveries.
      agent: false,
      lookup: lookupAllowed(resolve),
      signal,
    };
    try {
      return await exchange(target, options, body);
    } catch (error) {
      if (signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error });
      throw error;
    }
  };
}

function exchange(target: URL, options: RequestOptions, body: string): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const request = (target.protocol === "https:" ? requestHttps : requestHttp)(target, options);
    request.on("error", reject);
    request.on("response", (answer) => {
      const done = () => {
        resolve({ status: answer.statusCode ?? 0 });
        request.destroy();
      };
      let answerBytes = 0;
      answer.on("data", (chunk: Buffer) => {
        answerBytes += chunk.length;
        if (answerBytes > MAX_ANSWER_BYTES) done();
      });
      answer.on("end", done);
      answer.on("error", reject);
    });
    request.end(body);
  });
}

/** Looks a name up and lets through only what may be spoken to: what is checked is what is connected to. */
const lookupAllowed =
  (resolve: typeof lookup): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "");
      try {
        for (const { address } of addresses) requireAllowed(address);
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, "");
      }
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? "", first?.family);
    });
  };
