// Nodes of ours and an order: what their checks and reports say about it, and what the gateway answers a check instead of the update server. A
// node whose image is staged is told to start it when the order is committed. Pure; keeps a bounded list of who was heard.

import { utf8Encode } from "../bytes.js";
import { readDigits } from "../digits.js";
import { readJsonObject, writeJson } from "../json.js";
import { type ExchangeAnswer, type ExchangeRequest, problem } from "../radio/exchange-message.js";
import { OFFER_HEADER } from "../wire.js";
import { pathOf } from "./cached-image.js";
import { type JobNode, MAX_JOB_NODE_COUNT } from "./job-nodes.js";
import type { JobOrder } from "./job-order.js";

const CHECK_PATH = "/api/ota/check";
const STATUS_PATH = "/api/ota/status";
/** While an order is carried out its nodes ask as often as this. */
const POLL_SECONDS = 20;
const PART_BYTES = 1024;

/** A node of ours that was heard. */
export interface Member {
  readonly id: string;
  /** Its address by radio. */
  readonly peer: string;
  readonly type: string;
  /** ms since the boot. */
  readonly at: number;
}

/** Who checks, and what it runs. */
interface Check {
  readonly id: string;
  readonly type: string;
  readonly imageSha256: string;
  readonly slotState: string;
  readonly stagedSha256: string;
}

/** The check in a request; undefined: it is none. */
export function readCheck({ method, target, body }: ExchangeRequest): Check | undefined {
  if (method !== "POST" || target !== CHECK_PATH) return undefined;
  const object = readJsonObject(body);
  const text = (name: string): string => {
    const value = object?.get(name);
    return typeof value === "string" ? value : "";
  };
  const id = text("device_id");
  const type = text("device_type");
  if (id === "" || type === "" || id.length > MAX_NAME_LENGTH || type.length > MAX_NAME_LENGTH)
    return undefined;
  return {
    id,
    type,
    imageSha256: text("image_sha256"),
    slotState: text("slot_state"),
    stagedSha256: text("staged_sha256"),
  };
}
const MAX_NAME_LENGTH = 64;

/** The member that was silent longest makes room. */
export function withMember(members: readonly Member[], heard: Member): readonly Member[] {
  const others = members.filter(({ id }) => id !== heard.id);
  return [heard, ...others].slice(0, MAX_JOB_NODE_COUNT);
}

export const isForNode = (
  { nodeType, nodeId }: JobOrder,
  { id, type }: Pick<Check, "id" | "type">,
): boolean => type === nodeType && (nodeId === undefined || nodeId === id);

type News = Pick<JobNode, "id" | "phase" | "part"> & { readonly error?: string };

/** The error of a node that has gone back because another one has failed. */
export const WENT_BACK = "it has gone back with the others";

/** What a check says of the node's part in an order; undefined: nothing. */
export function newsOfCheck(order: JobOrder, check: Check, isTakenBack = false): News | undefined {
  const { image } = order;
  if (!image || !isForNode(order, check)) return undefined;
  const { id } = check;
  const part = Math.ceil(order.sizeBytes / PART_BYTES);
  if (check.imageSha256 === image.release.imageSha256)
    return check.slotState === "valid"
      ? { id, phase: "completed", part }
      : { id, phase: "transferring", part };
  if (check.stagedSha256 === image.release.imageSha256) return { id, phase: "staged", part };
  return isTakenBack ? { id, phase: "failed", part, error: WENT_BACK } : undefined;
}

/** That somebody is at the image now, from the byte that is asked for on. */
export function newsOfDownload(
  { image }: JobOrder,
  members: readonly Member[],
  peer: string,
  { method, target, headers }: ExchangeRequest,
): News | undefined {
  if (method !== "GET" || !image || pathOf(target) !== pathOf(image.target)) return undefined;
  const id = members.find((member) => member.peer === peer)?.id;
  const start = readDigits((headers.range ?? "").slice("bytes=".length).split("-", 1)[0] ?? "") ?? 0;
  return id === undefined ? undefined : { id, phase: "transferring", part: Math.floor(start / PART_BYTES) };
}

/** Whether one of those who were heard lately may want the image of an order, and has not asked for it yet. */
export const isAwaited = (
  order: JobOrder,
  members: readonly Member[],
  nodes: readonly JobNode[],
  at: number,
): boolean =>
  members.some(
    (member) =>
      at - member.at < RECENT_MS && isForNode(order, member) && !nodes.some(({ id }) => id === member.id),
  );
/** Two checks and a lost one. */
const RECENT_MS = 300_000;

/** What a report to the update server says of it. */
export function newsOfReport(order: JobOrder, { method, target, body }: ExchangeRequest): News | undefined {
  if (method !== "POST" || target !== STATUS_PATH || !order.image) return undefined;
  const object = readJsonObject(body);
  const id = object?.get("device_id");
  if (!object || typeof id !== "string" || object.get("firmware_id") !== order.firmwareId) return undefined;
  const bytes = object.get("bytes_downloaded");
  const part = typeof bytes === "number" ? Math.floor(bytes / PART_BYTES) : 0;
  const error = object.get("error_message");
  switch (object.get("status")) {
    case "failed":
      return { id, phase: "failed", part, error: typeof error === "string" ? error : "it failed" };
    case "success":
      return { id, phase: "completed", part: Math.ceil(order.sizeBytes / PART_BYTES) };
    default:
      return object.get("step") === "staged"
        ? { id, phase: "staged", part }
        : { id, phase: "transferring", part };
  }
}

/** How an order stands when a node asks. */
export interface Standing {
  readonly order: JobOrder;
  /** It is being carried out: nodes are offered the image. Otherwise it is over, and was given up unless it was committed. */
  readonly isOpen: boolean;
  readonly isCommitted: boolean;
  /** It was committed, and one node has failed since: nodes that run the image go back. */
  readonly isTakenBack: boolean;
  /** Nodes that are at it are to stop. */
  readonly isStopped: boolean;
  readonly nodes: readonly JobNode[];
}

/** The answer to a node's check; undefined: the update server is asked. @param time seconds since 1970 */
export function answerMember(
  { order, isOpen, isCommitted, isTakenBack, isStopped, nodes }: Standing,
  request: ExchangeRequest,
  time: number,
): ExchangeAnswer | undefined {
  const { image, rule } = order;
  if (isStopped && image && request.method === "GET" && pathOf(request.target) === pathOf(image.target))
    return problem(410, "the order was cancelled");
  const check = readCheck(request);
  if (!check || !image || !isForNode(order, check)) return undefined;
  const { release } = image;
  const isStaged = check.stagedSha256 === release.imageSha256;
  const go = { update_available: false, time, poll_seconds: POLL_SECONDS };
  if (check.imageSha256 === release.imageSha256)
    return isTakenBack ? answer({ ...go, revert: release.imageSha256 }) : undefined;
  if (isStaged && isCommitted && !isTakenBack) return answer({ ...go, commit: release.imageSha256 });
  if (!isOpen) return isStaged ? answer({ update_available: false, time, abandon: true }) : undefined;
  // it has said why it does not take it: asked again it would say the same
  if (nodes.some(({ id, phase }) => id === check.id && phase === "failed")) return undefined;
  const offer = {
    update_available: true,
    time,
    poll_seconds: POLL_SECONDS,
    firmware_id: order.firmwareId,
    version: order.version,
    build_number: order.build,
    file_size: release.size,
    file_hash: release.sha256,
    download_url: image.target,
    digests_url: image.digestsTarget,
    release: image.manifest,
    ...(rule === "all" && !isCommitted ? { hold: true } : {}),
  };
  return answer(offer, { [OFFER_HEADER]: `${order.firmwareId} ${time}` });
}

function answer(value: object, headers: Readonly<Record<string, string>> = {}): ExchangeAnswer {
  const body = utf8Encode(writeJson(value));
  return {
    status: 200,
    headers: { "content-type": "application/json", "content-length": `${body.length}`, ...headers },
    body,
  };
}
