// A client that fetches its file, restarts while it installs it and begins again would do so for ever if it reports no end: hawkBit's
// clients, and those of /api/ota for legacy types that name their device. So an attempt ends when its file has been sent whole a few
// times. Parts do not count: clients resume, and RAUC reads a file as very many parts.

import type { FastifyReply, FastifyRequest } from "fastify";
import { type Journal, record } from "../events/journal.js";
import { nameRelease } from "../shared/rollout.js";
import { type Firmware, NEVER_FINISHED, type Update } from "../store/store.js";
import { failAttempt } from "../updates/attempt.js";
import type { Context } from "./context.js";
import { aboutDevice } from "./device-check.js";
import { admit } from "./http/send-image.js";
import { whenSentWhole } from "./http/when-sent.js";

/** A power cut or two are no fault of the release. */
const MAX_SENT_COUNT = 3;

/** Before the file is sent. @returns whether it may be: otherwise the attempt has ended. @throws Refusal as sendImage */
export async function countFetch(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  attempt: Update,
  firmware: Firmware,
): Promise<boolean> {
  const { id, deviceId, sentCount } = attempt;
  if (request.method === "HEAD") return true;
  if (attempt.errorCode === NEVER_FINISHED) return false;
  if (attempt.finishedAt === null && sentCount >= MAX_SENT_COUNT) {
    await admit(request, reply, context, firmware, deviceId);
    const reason = `was sent all of ${nameRelease(firmware)} ${sentCount} times, and asks for it again without having reported an end`;
    await record(context, (journal) => end(journal, id, reason), { about: aboutDevice(deviceId) });
    return false;
  }
  whenSentWhole(context, request, reply, deviceId, (journal) => count(journal, id));
  return true;
}

async function end(journal: Journal, attemptId: number, reason: string): Promise<void> {
  const attempt = await journal.store.findUpdate(attemptId);
  if (attempt?.finishedAt === null) await failAttempt(journal, attempt, NEVER_FINISHED, reason);
}

async function count({ store, time }: Journal, attemptId: number): Promise<void> {
  const attempt = await store.findUpdate(attemptId);
  if (attempt?.finishedAt === null)
    await store.changeUpdate(attemptId, { sentCount: attempt.sentCount + 1 }, time);
}
