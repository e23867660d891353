// What the requests of nodes say about an order.

import { expect } from "chai";
import type { CachedImage } from "../../../../firmware/core/gateway/cached-image.js";
import { isAwaited, type Member, newsOfDownload } from "../../../../firmware/core/gateway/job-members.js";
import type { JobNode } from "../../../../firmware/core/gateway/job-nodes.js";
import type { JobOrder } from "../../../../firmware/core/gateway/job-order.js";
import type { ExchangeRequest } from "../../../../firmware/core/radio/exchange-message.js";

const TARGET = "/api/ota/download/7?device=any";
const ORDER = {
  id: 1,
  nodeType: "pir",
  nodeId: undefined,
  image: { target: TARGET } as CachedImage,
} as JobOrder;
const ONE: Member = { id: "pir-1", peer: "02:00:00:00:01:01", type: "pir", at: 0 };
const TWO: Member = { id: "pir-2", peer: "02:00:00:00:01:02", type: "pir", at: 0 };
const LAMP: Member = { id: "lamp-1", peer: "02:00:00:00:01:03", type: "led", at: 0 };
const node = (id: string, phase: JobNode["phase"]): JobNode => ({
  id,
  phase,
  part: 0,
  error: "",
  at: 0,
  told: "",
});
const get = (target: string, range?: string): ExchangeRequest => ({
  method: "GET",
  target,
  headers: range === undefined ? {} : { range },
  body: "",
});

describe("a node that asks for the image of an order", () => {
  const news = (request: ExchangeRequest, peer = ONE.peer) =>
    newsOfDownload(ORDER, [TWO, ONE], peer, request);

  it("is at it, from the byte that it asks for", () => {
    expect(news(get(TARGET))).deep.equal({ id: "pir-1", phase: "transferring", part: 0 });
    expect(news(get("/api/ota/download/7?device=pir-1", "bytes=16384-40000"))).include({ part: 16 });
  });

  it("is known by its address, and another request is none", () => {
    expect(news(get(TARGET), LAMP.peer)).equal(undefined);
    expect(news(get("/api/ota/download/8"))).equal(undefined);
    expect(news({ ...get(TARGET), method: "POST" })).equal(undefined);
    expect(newsOfDownload({ ...ORDER, image: undefined }, [ONE], ONE.peer, get(TARGET))).equal(undefined);
  });
});

describe("an order's image", () => {
  it("awaits those of its type that were heard and have not asked for it", () => {
    expect(isAwaited(ORDER, [ONE, TWO], [], 1_000)).equal(true);
    expect(isAwaited(ORDER, [ONE, TWO], [node("pir-1", "transferring")], 1_000)).equal(true);
    expect(
      isAwaited(ORDER, [ONE, TWO], [node("pir-1", "transferring"), node("pir-2", "failed")], 1_000),
    ).equal(false);
  });

  it("awaits nobody of another type, whom it is not for, or who was silent for five minutes", () => {
    expect(isAwaited(ORDER, [LAMP], [], 1_000)).equal(false);
    expect(isAwaited({ ...ORDER, nodeId: "pir-2" }, [ONE], [], 1_000)).equal(false);
    expect(isAwaited(ORDER, [ONE], [], 299_999)).equal(true);
    expect(isAwaited(ORDER, [ONE], [], 300_000)).equal(false);
  });
});
