// A hawkBit client that fetches the file of its action, restarts while it installs it and begins again would do so for ever: it never
// reports an end. So an action ends when its file has been sent whole a few times. Parts do not count: clients resume, and RAUC reads a
// file as very many parts.

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../api/context.js";
import { recordDevice } from "../api/device-check.js";
import { whenSentWhole } from "../api/http/when-sent.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease } from "../shared/rollout.js";
import { NEVER_FINISHED } from "../store/store.js";
import { failAttempt } from "../updates/attempt.js";
import type { Action } from "./hawkbit-actions.js";

/** A power cut or two are no fault of the release. */
const MAX_SENT_COUNT = 3;

/** Before the file is sent. @throws Refusal ACTION_ENDED */
export async function countFetch(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { device, attempt, firmware }: Action,
): Promise<void> {
  if (request.method === "HEAD") return;
  const isOpen = attempt.finishedAt === null;
  if (isOpen && attempt.sentCount >= MAX_SENT_COUNT) {
    const reason = `was sent all of ${nameRelease(firmware)} ${attempt.sentCount} times, and asks for it again without having reported an end`;
    await recordDevice(context, request, device.id, (journal) => end(journal, attempt.id, reason));
  }
  if (attempt.errorCode === NEVER_FINISHED || (isOpen && attempt.sentCount >= MAX_SENT_COUNT))
    throw new Refusal("ACTION_ENDED", `action ${attempt.id} was ended here: its file was sent often enough`);
  whenSentWhole(context, request, reply, device.id, (journal) => count(journal, attempt.id));
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
