// The releases of a system that was found, fetched one after the other: what its members are offered, and the job for its leader.

import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import {
  fetchOffers,
  initialOffers,
  type OffersOutput,
  type OffersState,
  offersHeard,
} from "../../../../firmware/core/system/offers.js";
import type { SystemFound } from "../../../../firmware/core/system/poll.js";
import { jws, PAGED } from "../releases.js";

const SOURCE = { server: "http://updates.test", headers: { authorization: "Bearer x" } };
const RECEIVER = { ...PAGED, type: "receiver", sha256: "1".repeat(64), imageSha256: "2".repeat(64) };
const TRANSMITTER = { ...PAGED, type: "transmitter", sha256: "3".repeat(64), imageSha256: "4".repeat(64) };

const component = (name: string, sha256: string) => ({
  name,
  type: name,
  hardware: "esp32",
  version: "1.1.0",
  build: 0,
  sha256,
});
const links = (name: string, id: number, digestsUrl = `/d/${id}/digests`) => ({
  name,
  releaseUrl: `/r/${id}`,
  downloadUrl: `/api/ota/download/${id}?device=any`,
  digestsUrl,
});
const FOUND = {
  type: "systemFound",
  system: {
    version: "2.0.0",
    components: [component("receiver", RECEIVER.sha256), component("transmitter", TRANSMITTER.sha256)],
    rebootDelaySeconds: 3,
    healthTimeoutSeconds: 40,
  },
  links: [links("receiver", 7), links("transmitter", 8, "")],
} as unknown as SystemFound;

class Fetching {
  state: OffersState = initialOffers;
  outputs: readonly OffersOutput[] = [];

  begin(found = FOUND): this {
    [this.state, this.outputs] = fetchOffers(found, -100, SOURCE);
    return this;
  }

  give(event: Event | { readonly type: "timerFired"; readonly timer: string }): this {
    [this.state, this.outputs] = offersHeard(this.state, event as Event, SOURCE);
    return this;
  }

  answer(text: string, status = 200): this {
    const { attempt } = this.state;
    this.give({ type: "responseStarted", attempt, status, headers: {} });
    return status === 200 ? this.give({ type: "textCollected", attempt, text }) : this;
  }

  get url() {
    const asked = this.outputs.find((output) => output.type === "startRequest");
    return asked?.type === "startRequest" ? asked.request.url : undefined;
  }
  get failure() {
    const failed = this.outputs.find((output) => output.type === "offersFailed");
    return failed?.type === "offersFailed" ? failed.message : undefined;
  }
}

describe("the releases of a system", () => {
  it("are fetched one after the other, as the receiver, and become offers and a job in the manifest's order", () => {
    const fetching = new Fetching().begin();
    expect(fetching.outputs[0]).deep.include({ type: "startRequest", attempt: -101 });
    expect(fetching.outputs[0]).deep.nested.include({ "request.headers": SOURCE.headers });
    expect(fetching.url).equal("http://updates.test/r/7");
    expect(fetching.answer(jws(RECEIVER)).url).equal("http://updates.test/r/8");
    fetching.answer(jws(TRANSMITTER));
    const ready = fetching.outputs.find((output) => output.type === "offersReady")!;
    expect(ready).deep.equal({
      type: "offersReady",
      job: {
        version: "2.0.0",
        rule: "all",
        components: [
          { id: "receiver", image: RECEIVER.imageSha256, step: 0 },
          { id: "transmitter", image: TRANSMITTER.imageSha256, step: 1 },
        ],
        rebootDelaySeconds: 3,
        healthTimeoutSeconds: 40,
        stageTimeoutSeconds: 43_200,
      },
      offers: [
        {
          id: "receiver",
          image: RECEIVER.imageSha256,
          sizeBytes: 40_000,
          answer: {
            firmware_id: 7,
            version: "1.1.0",
            build_number: 0,
            download_url: "/api/ota/download/7?device=any",
            digests_url: "/d/7/digests",
            release: jws(RECEIVER),
          },
        },
        {
          id: "transmitter",
          image: TRANSMITTER.imageSha256,
          sizeBytes: 40_000,
          answer: {
            firmware_id: 8,
            version: "1.1.0",
            build_number: 0,
            download_url: "/api/ota/download/8?device=any",
            release: jws(TRANSMITTER),
          },
        },
      ],
    });
    expect(fetching.state).include({ found: undefined, attempt: -102 });
  });

  it("are none of another system, none without a place, and none that are no release", () => {
    const other = new Fetching().begin().answer(jws({ ...RECEIVER, sha256: "9".repeat(64) }));
    expect(other.failure).include("it is not the receiver of the system");
    expect(new Fetching().begin().answer("no release").failure).include("2.0.0: ");
    const missing = { ...FOUND, links: [links("receiver", 7)] } as SystemFound;
    expect(new Fetching().begin(missing).answer(jws(RECEIVER)).failure).include("has no transmitter");
    const odd = { ...FOUND, links: [{ ...links("receiver", 7), downloadUrl: "/files/7" }] } as SystemFound;
    expect(new Fetching().begin(odd).answer(jws(RECEIVER)).failure).include("is no download");
    const zero = { ...FOUND, links: [{ ...links("receiver", 0), releaseUrl: "/r" }] } as SystemFound;
    expect(new Fetching().begin(zero).answer(jws(RECEIVER)).failure).include("is no download");
  });

  it("are given up when the server refuses, breaks off or is silent", () => {
    for (const failing of [
      (one: Fetching) => one.answer("", 404),
      (one: Fetching) => one.give({ type: "requestFailed", attempt: one.state.attempt, message: "reset" }),
      (one: Fetching) => one.give({ type: "responseEnded", attempt: one.state.attempt }),
      (one: Fetching) => one.give({ type: "timerFired", timer: "system.offers" }),
    ]) {
      const fetching = failing(new Fetching().begin());
      expect(fetching.failure).match(/^the releases of system 2\.0\.0: /);
      expect(fetching.outputs.map(({ type }) => type)).include.members(["clearTimer", "closeRequest"]);
      expect(fetching.state.found).equal(undefined);
    }
  });

  it("hear no answer to another request, and nothing when none is under way", () => {
    const fetching = new Fetching().begin();
    const { state } = fetching;
    fetching.give({ type: "textCollected", attempt: -100, text: jws(RECEIVER) });
    fetching.give({ type: "timerFired", timer: "system.poll" });
    expect(fetching.state).equal(state);
    const idle = new Fetching();
    idle.give({ type: "requestFailed", attempt: 0, message: "" });
    expect([idle.state, idle.outputs]).deep.equal([initialOffers, []]);
  });
});
