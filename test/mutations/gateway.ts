// Devices without a network and their gateway: firmware/core/radio/exchange-*.ts, link.ts, firmware/core/gateway.

import type { Mutation } from "./mutation.js";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "all or none: the others keep an image that does not work on one node",
    file: "firmware/core/gateway/job-end.ts",
    original: 'if (isCommitted && nodes.some(({ phase }) => phase === "failed")) return "takeBack";',
    mutated: "",
  },
  {
    what: "all or none: a node that has staged it starts an image that the others go back from",
    file: "firmware/core/gateway/job-members.ts",
    original: "if (isStaged && isCommitted && !isTakenBack)",
    mutated: "if (isStaged && isCommitted)",
  },
  {
    what: "nodes find their gateway on a channel that it leaves when it joins its network",
    file: "firmware/core/gateway/gateway-device.ts",
    original: "if (at < QUIET_MS && !this.state.device.wifi.online) return;",
    mutated: "",
  },
  {
    what: "a gateway without power is asked again and again, seven frames each time",
    file: "firmware/core/radio/exchange-client.ts",
    original: "const deafCount = isAcknowledged ? 0 : state.deafCount + 1;",
    mutated: "const deafCount = 0;",
  },
  {
    what: "a neighbour's question on another channel counts as one's own",
    file: "firmware/core/radio/gateway-search.ts",
    original: "seek.group === state.group && seek.channel === state.channel;",
    mutated: "seek.group === state.group;",
  },
  {
    what: "anyone in range can answer a node in its gateway's place",
    file: "firmware/core/radio/exchange-client.ts",
    original: 'if (state.phase === "idle" || from !== state.gateway) return [state, []];',
    mutated: 'if (state.phase === "idle") return [state, []];',
  },
  {
    what: "the answer to an older exchange is taken for that of the current one",
    file: "firmware/core/radio/exchange-client.ts",
    original: "if (!frame || frame.id !== state.id)",
    mutated: "if (!frame)",
  },
  {
    what: "a fragment that is there is written over by another one",
    file: "firmware/core/radio/exchange-frames.ts",
    original: "if (count !== assembly.count || hasFragment(assembly.there, index)) return assembly;",
    mutated: "if (count !== assembly.count) return assembly;",
  },
  {
    what: "a late repetition of a request is carried out a second time",
    file: "firmware/core/radio/exchange-server.ts",
    original: "if (state.ended.some((one) => one.peer === peer && one.id === id)) return [state, []];",
    mutated: "",
  },
  {
    what: "the table of exchanges grows with the number of nodes",
    file: "firmware/core/radio/exchange-server.ts",
    original: "free.exchanges.length >= MAX_EXCHANGE_COUNT ||",
    mutated: "",
  },
  {
    what: "a node that has gone keeps its place in the table",
    file: "firmware/core/radio/exchange-server.ts",
    original: "if (at - exchange.heardMs < SILENCE_MS) continue;",
    mutated: "if (at >= 0) continue;",
  },
  {
    what: "a gateway passes on any path",
    file: "firmware/core/gateway/relay.ts",
    original: "(target.startsWith(PREFIX) || target.startsWith(ROOTS_PATH)) &&",
    mutated: "",
  },
  {
    what: "a request that waited for room is forgotten",
    file: "firmware/core/gateway/relay.ts",
    original: "return begun.length > 0 ? [next, [...outputs, ...begun]] : [next, outputs];",
    mutated: "return begun.length > 0 ? [state, outputs] : [next, outputs];",
  },
  {
    what: "a chunk is passed on whatever its digest is",
    file: "firmware/core/gateway/cache.ts",
    original: "if (page && bytesEqual(digest, digestAt(page.digests, index % CHUNKS_A_PAGE)))",
    mutated: "if (page && digest.length > 0)",
  },
  {
    what: "a page of digests is believed without its hash",
    file: "firmware/core/gateway/cache.ts",
    original: "if (!bytesEqual(digest, digestAt(image.release.digests, index)))",
    mutated: "if (index < 0)",
  },
  {
    what: "an image that is sent to a gateway is kept without having been compared with its manifest",
    file: "firmware/core/gateway/upload.ts",
    original: "if (!bytesEqual(digest, digestAt(image.release.digests, page)))",
    mutated: "if (page < 0)",
  },
  {
    what: "a chunk that was wrong is taken for stored again and again",
    file: "firmware/core/radio/link.ts",
    original: "start !== arriving.toldStart;",
    mutated: "start >= 0;",
  },
  {
    what: "a node takes the first gateway that it hears for its own, although it has one",
    file: "firmware/core/radio/gateway-search.ts",
    original: "if (from !== state.gateway && !isReplacement) return [state, []];",
    mutated: "",
  },
  {
    what: "blocks go on coming into the slot when core has given up",
    file: "firmware/core/radio/radio-device.ts",
    original:
      "if (this.state.link.arriving && !isDownloading(device)) this.#link(stopBlocks(this.state.link));",
    mutated: "",
  },
  {
    what: "an image begins although nodes are known that have not asked for it yet",
    file: "firmware/core/gateway/gathering.ts",
    original: "isAwaited ? at - sinceMs >= MAX_AWAITED_MS",
    mutated: "isAwaited ? at - sinceMs >= 0",
  },
  {
    what: "a request waits for as long as images are broadcast",
    file: "firmware/core/radio/link.ts",
    original: "at - first.sinceMs < MAX_PAUSE_MS",
    mutated: "at >= 0",
  },
  {
    what: "a beacon that has waited in the radio is taken for one of this channel",
    file: "firmware/core/radio/gateway-search.ts",
    original:
      "if (isBeacon && beacon.channel > 0) return found({ ...state, channel: beacon.channel }, from, rssi, at);",
    mutated: "if (isBeacon) return found(state, from, rssi, at);",
  },
  {
    what: "an image with another MD5 is distributed",
    file: "firmware/core/gateway/plain-image.ts",
    original: 'if (md5 === state.order.md5) return [{ ...state, phase: "ready" }, []];',
    mutated: 'if (md5 === state.order.md5 || state.isFetched) return [{ ...state, phase: "ready" }, []];',
  },
  {
    what: "a piece that failed goes on in the middle of a sector",
    file: "firmware/core/gateway/plain-image.ts",
    original: "const start = offset - (offset % PIECE_BYTES);",
    mutated: "const start = offset;",
  },
  {
    what: "a server that fails is asked for ever",
    file: "firmware/core/gateway/plain-image.ts",
    original: "if (failureCount >= MAX_FAILURES) return over(state, message);",
    mutated: "",
  },
  {
    what: "an image for all or none has no signature",
    file: "firmware/core/gateway/job-order.ts",
    original: 'if (rule === "all" && !image) return undefined;',
    mutated: "",
  },
  {
    what: "an order leads a gateway to another server",
    file: "firmware/core/gateway/job-order.ts",
    original: '  !value.startsWith("//");',
    mutated: "  value.length > 0;",
  },
  {
    what: "that there is no way back is forgotten with a restart",
    file: "firmware/core/gateway/job-order.ts",
    original: "...(isCommitted ? { committed: true } : {}),",
    mutated: "",
  },
  {
    what: "an order is not kept",
    file: "firmware/core/gateway/job.ts",
    original:
      '{ type: "store", key: JOB_KEY, value: writeKeptJob({ order, isCommitted: false, isTakenBack: false }) },',
    mutated: "",
  },
  {
    what: "nodes are told to start before all have the image",
    file: "firmware/core/gateway/job-end.ts",
    original: "const hasAll = concerned.every(",
    mutated: "const hasAll = concerned.some(",
  },
  {
    what: "one node that fails does not keep the others of all or none",
    file: "firmware/core/gateway/job-end.ts",
    original: 'const failed = nodes.find(({ phase }) => phase === "failed");',
    mutated: "const failed = undefined as JobNode | undefined;",
  },
  {
    what: "a cancelled order is distributed on",
    file: "firmware/core/gateway/job.ts",
    original:
      'const [free, effects] = state.order ? dropped(state, "it was cancelled", stamp.at) : ([state, []] as const);',
    mutated: "const [free, effects] = [state, [] as readonly JobEffect[]] as const;",
  },
  {
    what: "a report that the server could not take counts as told",
    file: "firmware/core/gateway/job.ts",
    original: "status < 500 && status !== 429 ?",
    mutated: "status < 600 && status !== 429 ?",
  },
];
