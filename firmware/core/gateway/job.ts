// What a gateway does for the update server: asks for orders, takes the oldest, has its image fetched, has it distributed, tells how far each
// node is, and when it is over. One order at a time, one request at a time. Sends no frame and no part itself: it says what the mesh and the
// cache shall do.
//
//   idle ─ poll: an order ─► fetching ─ image whole and right ─► distributing ─ all nodes at their end ─► finishing ─ told ─► idle
//     ▲                         └── not to be had ────────────────────────┬─────────────────────────────────▲
//     └── a poll without the order, or the server refuses a report: cancelled ◄┘
//
// The order is in NVS, so a restart continues it: the image proves itself, the nodes are known again by what they ask.
//
// `each`: who fails does not keep the others. `all`: nodes stage the image and wait; when every node of the type that was heard lately has it,
// the order is committed, and they are told to start it. If one fails or falls silent before that, all give it up; if one fails behind it, all
// others are told to go back.

import type { Effect, HttpRequest, TimerEffect } from "../effect.js";
import type { Event, Stamp } from "../event.js";
import { writeJson } from "../json.js";
import { type Distribution, type NodeProgress, newDistribution, PART_BYTES } from "../mesh/distribution.js";
import type { ExchangeRequest } from "../radio/exchange-message.js";
import type { CacheEvent } from "./cache-vocabulary.js";
import type { CachedImage } from "./cached-image.js";
import { endOfAll, endOfEach, type JobEnd } from "./job-end.js";
import {
  type Member,
  newsOfCheck,
  newsOfDownload,
  newsOfReport,
  readCheck,
  withMember,
} from "./job-members.js";
import { type JobNode, newsOf, nodesAt, reported, reportOf, unreported, withNode } from "./job-nodes.js";
import {
  JOB_KEY,
  type JobOrder,
  type KeptJob,
  MAX_ORDERS_BYTES,
  readKeptJob,
  readOrders,
  writeKeptJob,
} from "./job-order.js";
import {
  fetchPlainImage,
  type PlainEffect,
  type PlainState,
  type PlainTimer,
  plainImageHeard,
  stopPlainImage,
} from "./plain-image.js";

/** Between two questions for orders. */
const POLL_MS = 60_000;
/** After the network was joined, or a question could not be asked. */
const SOON_MS = 2_000;
/** Between two looks at the nodes. */
const LOOK_MS = 5_000;
const ANSWER_MS = 20_000;
/** An image that is not whole after this is not to be had. */
const FETCH_MS = 3_600_000;
/** Numbers of the requests; the relay's, the cache's and those of plain-image.ts are others. */
const FIRST_REQUEST = -1_000_000_000;

export type JobTimer = "job.poll" | "job.look" | "job.request" | PlainTimer;

/** What its app says. */
export type JobEvent =
  | { readonly type: "distributionSwitched"; readonly isEnabled: boolean }
  | { readonly type: "ordersWanted" };

export type JobEffect =
  | PlainEffect
  | TimerEffect<JobTimer>
  | Extract<
      Effect,
      { readonly type: "startRequest" | "collectResponse" | "closeRequest" | "store" | "forget" | "log" }
    >
  /** The cache shall hold this image, and be filled with it. */
  | {
      readonly type: "orderImage";
      readonly image: CachedImage;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** The cache is written by the job itself from now on; or it is free again. */
  | { readonly type: "takeCache" }
  | { readonly type: "freeCache" }
  | { readonly type: "distributeInMesh"; readonly distribution: Distribution }
  | { readonly type: "cancelInMesh" };

interface Asking {
  readonly what: "poll" | "report" | "finish";
  /** Of a report. */
  readonly nodeId: string;
  readonly news: string;
}

export interface JobState {
  readonly isEnabled: boolean;
  readonly order: JobOrder | undefined;
  readonly phase: "idle" | "fetching" | "distributing" | "finishing";
  readonly isCommitted: boolean;
  readonly isTakenBack: boolean;
  /** The order before: nodes that have staged it and come late are told to start it, or to drop it; those that are at it to stop. */
  readonly past: (KeptJob & { readonly isGivenUp: boolean; readonly at: number }) | undefined;
  readonly plain: PlainState | undefined;
  readonly nodes: readonly JobNode[];
  /** Nodes of ours that were heard, the last one first. */
  readonly members: readonly Member[];
  readonly beganAt: number;
  /** When a node has moved last. */
  readonly movedAt: number;
  readonly result: JobEnd | undefined;
  readonly request: number;
  readonly asking: Asking | undefined;
}

export const initialJob: JobState = Object.freeze({
  isEnabled: true,
  order: undefined,
  phase: "idle",
  isCommitted: false,
  isTakenBack: false,
  past: undefined,
  plain: undefined,
  nodes: Object.freeze([]),
  members: Object.freeze([]),
  beganAt: 0,
  movedAt: 0,
  result: undefined,
  request: FIRST_REQUEST,
  asking: undefined,
});

/** Where the gateway stands. */
export interface JobSurroundings {
  /** Undefined: it cannot be asked now. */
  readonly server: string | undefined;
  /** Headers of a gateway: its token, where the server asks for one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the cache. */
  readonly cacheBytes: number;
  /** Bytes of the ordered image that are in the cache and right. */
  readonly availableBytes: number;
  /** Of the ordered image, bytes that have been broadcast from its start on: those who are at it have about as much. */
  readonly sentBytes: number;
  /** Nodes that take it by painlessMesh's protocol. */
  readonly meshNodes: readonly NodeProgress[];
}

export type JobStep = readonly [JobState, readonly JobEffect[]];
export type JobInput =
  | Event
  | CacheEvent
  | JobEvent
  | { readonly type: "timerFired"; readonly timer: string };

export function jobStep(state: JobState, event: JobInput, around: JobSurroundings, stamp: Stamp): JobStep {
  switch (event.type) {
    case "booted":
      return booted(readKeptJob(event.stored[JOB_KEY]), state.isEnabled, stamp.at);
    case "wifiJoined":
    case "ordersWanted":
      return [state, state.isEnabled ? [pollIn(SOON_MS)] : []];
    case "distributionSwitched":
      return switched(state, event.isEnabled, stamp.at);
    case "timerFired":
      return timedOut(state, event.timer, around, stamp);
    case "responseStarted":
    case "textCollected":
    case "responseEnded":
    case "requestFailed":
      if (event.attempt === state.request && state.asking)
        return answered(state, state.asking, event, around, stamp);
      return plainStep(state, event, stamp);
    default:
      return plainStep(state, event, stamp);
  }
}

/** A node of ours has asked something. */
export function memberHeard(state: JobState, request: ExchangeRequest, peer: string, at: number): JobState {
  const check = readCheck(request);
  const { order } = state;
  const members = check
    ? withMember(state.members, { id: check.id, peer, type: check.type, at })
    : state.members;
  if (!order) return { ...state, members };
  const news = check
    ? newsOfCheck(order, check, state.isTakenBack)
    : (newsOfDownload(order, members, peer, request) ?? newsOfReport(order, request));
  // why one has failed is not covered by its having gone back
  const isKnown =
    state.isTakenBack && state.nodes.some(({ id, phase }) => id === news?.id && phase === "failed");
  if (!news || isKnown) return { ...state, members };
  const nodes = withNode(state.nodes, { ...news, at });
  return { ...state, members, nodes, movedAt: nodes === state.nodes ? state.movedAt : at };
}

const pollIn = (delayMs: number): JobEffect => ({ type: "setTimer", timer: "job.poll", delayMs });
const LOOK: JobEffect = Object.freeze({ type: "setTimer", timer: "job.look", delayMs: LOOK_MS });

function booted(kept: KeptJob | undefined, isEnabled: boolean, at: number): JobStep {
  const fresh: JobState = { ...initialJob, isEnabled };
  if (!kept) return [fresh, [pollIn(POLL_MS)]];
  return [
    { ...fresh, ...kept, phase: "fetching", beganAt: at, movedAt: at },
    [
      { type: "log", level: "info", message: `continues the distribution of ${nameOf(kept.order)}` },
      // what the cache holds is not to be touched before it was looked at
      ...(kept.order.image ? [] : ([{ type: "takeCache" }] as const)),
      pollIn(POLL_MS),
      LOOK,
    ],
  ];
}

function switched(state: JobState, isEnabled: boolean, at: number): JobStep {
  if (isEnabled === state.isEnabled) return [state, []];
  if (isEnabled) return [{ ...state, isEnabled }, [pollIn(SOON_MS)]];
  const [next, effects] = dropped(state, "distribution is switched off", at);
  return [{ ...next, isEnabled }, [{ type: "clearTimer", timer: "job.poll" }, ...effects]];
}

function timedOut(state: JobState, timer: string, around: JobSurroundings, stamp: Stamp): JobStep {
  switch (timer) {
    case "job.poll":
      return state.isEnabled ? poll(state, around) : [state, []];
    case "job.look":
      return state.order ? look(state, state.order, around, stamp) : [state, []];
    case "job.request":
      return state.asking ? closed(state) : [state, []];
    default:
      return plainStep(state, { type: "timerFired", timer }, stamp);
  }
}

// ── requests

function poll(state: JobState, around: JobSurroundings): JobStep {
  if (state.asking) return [state, [pollIn(SOON_MS)]];
  const [next, effects] = ask(state, POLL, `${PATH}/pending?limit=1`, undefined, around);
  return [next, [pollIn(POLL_MS), ...effects]];
}
const PATH = "/api/v1/ota/updates";
const POLL: Asking = Object.freeze({ what: "poll", nodeId: "", news: "" });

function ask(
  state: JobState,
  asking: Asking,
  target: string,
  body: object | undefined,
  { server, headers }: JobSurroundings,
): JobStep {
  if (server === undefined) return [state, []];
  const attempt = state.request - 1;
  const url = `${server}${target}`;
  const request: HttpRequest = body
    ? {
        method: "POST",
        url,
        headers: { ...headers, "content-type": "application/json" },
        body: writeJson(body),
      }
    : { method: "GET", url, headers };
  return [
    { ...state, request: attempt, asking },
    [
      { type: "startRequest", attempt, request },
      { type: "setTimer", timer: "job.request", delayMs: ANSWER_MS },
    ],
  ];
}

/** The request under way is over; whatever it was for is asked again later, unless the state says that it is done. */
const closed = (state: JobState): JobStep => [
  { ...state, asking: undefined },
  [
    { type: "clearTimer", timer: "job.request" },
    { type: "closeRequest", attempt: state.request },
  ],
];

type AnswerEvent = Extract<
  Event,
  { readonly type: "responseStarted" | "textCollected" | "responseEnded" | "requestFailed" }
>;

function answered(
  state: JobState,
  asking: Asking,
  event: AnswerEvent,
  around: JobSurroundings,
  stamp: Stamp,
): JobStep {
  if (event.type === "responseStarted") {
    if (asking.what === "poll" && event.status === 200)
      return [
        state,
        [{ type: "collectResponse", attempt: state.request, maxBytes: MAX_ORDERS_BYTES, as: "text" }],
      ];
    return after(closed(state), (next) => told(next, asking, event.status, around, stamp.at));
  }
  if (event.type !== "textCollected") return closed(state);
  return after(closed(state), (next) => ordersHeard(next, readOrders(event.text), around, stamp));
}

const after = ([state, effects]: JobStep, then: (state: JobState) => JobStep): JobStep => {
  const [next, more] = then(state);
  return [next, [...effects, ...more]];
};

/** The server has answered a report, or refused a poll. */
function told(
  state: JobState,
  { what, nodeId, news }: Asking,
  status: number,
  around: JobSurroundings,
  at: number,
): JobStep {
  if (what === "poll")
    return [
      state,
      [
        {
          type: "log",
          level: "warn",
          message: `the update server answers ${status} to a gateway's question`,
        },
      ],
    ];
  // of an order that is closed, or unknown
  if (status === 404 || status === 409 || status === 410)
    return dropped(state, what === "finish" ? undefined : "the update server has closed it", at);
  if (what === "finish") return status < 300 ? dropped(state, undefined, at) : [state, []];
  // a node that the server does not want to know about is not told again, and nor is one whose report arrived
  const next: JobState =
    status < 500 && status !== 429 ? { ...state, nodes: reported(state.nodes, nodeId, news) } : state;
  return status < 300 ? report(next, around) : [next, []];
}

function ordersHeard(
  state: JobState,
  order: JobOrder | undefined | false,
  around: JobSurroundings,
  stamp: Stamp,
): JobStep {
  if (order === false)
    return [state, [{ type: "log", level: "warn", message: "the update server's order is malformed" }]];
  if (state.order && state.order.id === order?.id)
    return [state, state.phase === "finishing" ? [] : wantImage(state.order, around)];
  const [free, effects] = state.order ? dropped(state, "it was cancelled", stamp.at) : ([state, []] as const);
  if (!order) return [free, effects];
  const [taken, more] = take(free, order, around, stamp);
  return [taken, [...effects, ...more]];
}

// ── an order

function take(state: JobState, order: JobOrder, around: JobSurroundings, { at }: Stamp): JobStep {
  const begun: JobState = {
    ...state,
    order,
    phase: "fetching",
    isCommitted: false,
    isTakenBack: false,
    nodes: [],
    beganAt: at,
    movedAt: at,
    result: undefined,
  };
  const log: JobEffect = { type: "log", level: "info", message: `distributes ${nameOf(order)}` };
  if (order.sizeBytes > around.cacheBytes) {
    const message = `the image has ${order.sizeBytes} bytes, the gateway's cache ${around.cacheBytes}`;
    return [finishing(begun, "failed", message), [log, LOOK]];
  }
  return [
    begun,
    [
      log,
      { type: "store", key: JOB_KEY, value: writeKeptJob({ order, isCommitted: false, isTakenBack: false }) },
      ...(order.image ? [] : ([{ type: "takeCache" }] as const)),
      ...wantImage(order, around),
      LOOK,
    ],
  ];
}

const nameOf = ({ id, nodeType, version }: JobOrder): string => `${nodeType} ${version} (order ${id})`;

/** Said again with every poll: what nobody wants makes room for another image. */
const wantImage = ({ image }: JobOrder, { headers }: JobSurroundings): readonly JobEffect[] =>
  image ? [{ type: "orderImage", image, headers }] : [];

/** The order is over here. @param why it was not finished; undefined: it was */
function dropped(state: JobState, why: string | undefined, at: number): JobStep {
  const { order, plain } = state;
  if (!order) return [state, []];
  const level = why === undefined ? "info" : "warn";
  const end = why ?? state.result?.status ?? "over";
  const isGivenUp = !state.isCommitted && (why !== undefined || state.result?.status === "failed");
  return [
    {
      ...initialJob,
      isEnabled: state.isEnabled,
      members: state.members,
      request: state.request,
      asking: state.asking,
      plain,
      past: { order, isCommitted: state.isCommitted, isTakenBack: state.isTakenBack, isGivenUp, at },
    },
    [
      { type: "log", level, message: `distribution of ${nameOf(order)}: ${end}` },
      { type: "forget", key: JOB_KEY },
      { type: "clearTimer", timer: "job.look" },
      { type: "cancelInMesh" },
      ...(order.image ? [] : [...(plain ? stopPlainImage(plain) : []), { type: "freeCache" } as const]),
    ],
  ];
}

const finishing = (state: JobState, status: "completed" | "failed", message: string): JobState => ({
  ...state,
  phase: "finishing",
  result: { status, message },
});

// ── the image, the nodes

function plainStep(state: JobState, event: JobInput, stamp: Stamp): JobStep {
  if (!state.plain || state.order?.image !== undefined) return [state, []];
  const [plain, effects] = plainImageHeard(state.plain, event as CacheEvent, stamp);
  return plain === state.plain ? [state, effects] : [{ ...state, plain }, effects];
}

function look(state: JobState, order: JobOrder, around: JobSurroundings, stamp: Stamp): JobStep {
  switch (state.phase) {
    case "fetching":
      return withReport(fetching(state, order, around, stamp.at), around);
    case "distributing":
      return withReport(distributing(state, order, around, stamp.at), around);
    case "finishing":
      return withReport([state, [LOOK]], around);
    default:
      return [state, []];
  }
}

function fetching(state: JobState, order: JobOrder, around: JobSurroundings, at: number): JobStep {
  if (at - state.beganAt >= FETCH_MS || state.plain?.phase === "failed")
    return [finishing(state, "failed", "the gateway could not fetch the image"), [LOOK]];
  if (order.image) {
    if (around.availableBytes < order.sizeBytes) return [state, [...wantImage(order, around), LOOK]];
    return distribute(state, order);
  }
  if (!state.plain || state.plain.order.md5 !== order.md5) {
    if (around.server === undefined) return [state, [LOOK]];
    const { md5, sizeBytes, target } = order;
    const wanted = { url: `${around.server}${target}`, headers: around.headers, sizeBytes, md5 };
    const [plain, effects] = fetchPlainImage(wanted, state.plain);
    return [{ ...state, plain }, [...effects, LOOK]];
  }
  return state.plain.phase === "ready" ? distribute(state, order) : [state, [LOOK]];
}

/** Nodes of other makers do not wait for each other: an order for all or none is for ours. */
function distribute(state: JobState, order: JobOrder): JobStep {
  const next: JobState = { ...state, phase: "distributing" };
  if (order.rule === "all") return [next, [LOOK]];
  const { md5, hardware, nodeType, isForced, sizeBytes } = order;
  const distribution = newDistribution({
    image: { md5, hardware, role: nodeType, isForced, isBroadcast: false },
    sizeBytes,
    ...(order.image ? { release: order.image.manifest } : {}),
  });
  return [next, [{ type: "distributeInMesh", distribution }, LOOK]];
}

function distributing(state: JobState, order: JobOrder, around: JobSurroundings, at: number): JobStep {
  const seen = withMeshNodes(withSent(state, around.sentBytes), around.meshNodes, at);
  const end = order.rule === "all" ? endOfAll(seen, order, at) : endOfEach(seen, order, at);
  if (end === "commit") return decided(seen, order, { isCommitted: true, isTakenBack: false }, at);
  if (end === "takeBack") return decided(seen, order, { isCommitted: true, isTakenBack: true }, at);
  return [end ? finishing(seen, end.status, end.message) : seen, [LOOK]];
}

/** It is in NVS before a node hears of it. */
function decided(
  state: JobState,
  order: JobOrder,
  decision: Pick<KeptJob, "isCommitted" | "isTakenBack">,
  at: number,
): JobStep {
  const message = decision.isTakenBack
    ? `a node could not keep ${nameOf(order)}: the others go back`
    : `all nodes have ${nameOf(order)}: they start it`;
  return [
    { ...state, ...decision, movedAt: at },
    [
      { type: "log", level: decision.isTakenBack ? "warn" : "info", message },
      { type: "store", key: JOB_KEY, value: writeKeptJob({ order, ...decision }) },
      LOOK,
    ],
  ];
}

/** Nodes do not report how far they are: what is in the air is theirs. */
const withSent = (state: JobState, sentBytes: number): JobState => ({
  ...state,
  nodes: nodesAt(state.nodes, Math.floor(sentBytes / PART_BYTES), (id) =>
    state.members.some((member) => member.id === id),
  ),
});

function withMeshNodes(state: JobState, meshNodes: readonly NodeProgress[], at: number): JobState {
  let { nodes } = state;
  for (const { nodeId, phase, part, at: heardAt } of meshNodes) {
    const known = phase === "done" ? "completed" : phase === "failed" ? "failed" : "transferring";
    const error = phase === "failed" ? "it asks for nothing more" : "";
    nodes = withNode(nodes, { id: `${nodeId}`, phase: known, part, error, at: heardAt });
  }
  return nodes === state.nodes ? state : { ...state, nodes, movedAt: at };
}

// ── reports

const withReport = ([state, effects]: JobStep, around: JobSurroundings): JobStep =>
  after([state, effects], (next) => report(next, around));

/** The next thing that the server does not know yet; the end of the order comes last. */
function report(state: JobState, around: JobSurroundings): JobStep {
  const { order, asking, result } = state;
  if (!order || asking) return [state, []];
  const partCount = Math.ceil(order.sizeBytes / PART_BYTES);
  const node = unreported(state.nodes, partCount);
  if (node) {
    const of: Asking = { what: "report", nodeId: node.id, news: newsOf(node, partCount) };
    return ask(state, of, `${PATH}/${order.id}/nodes`, reportOf(node, partCount), around);
  }
  if (state.phase !== "finishing" || !result) return [state, []];
  const body = { status: result.status, error_message: result.message.slice(0, MAX_MESSAGE_LENGTH) };
  return ask(state, FINISH, `${PATH}/${order.id}/finish`, body, around);
}
const FINISH: Asking = Object.freeze({ what: "finish", nodeId: "", news: "" });
const MAX_MESSAGE_LENGTH = 200;
