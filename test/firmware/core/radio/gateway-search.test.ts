// A device looks for its gateway, keeps it, and notices when it is gone.

import { expect } from "chai";
import type { Stamp } from "../../../../firmware/core/event.js";
import { groupOf, readBeacon, writeBeacon } from "../../../../firmware/core/radio/beacon.js";
import {
  MAX_GATEWAY_LENGTH,
  newSearch,
  type SearchOutput,
  type SearchState,
  searchDoubt,
  searchFailed,
  searchHeard,
  searchTimer,
  startSearch,
} from "../../../../firmware/core/radio/gateway-search.js";
import { BROADCAST } from "../../../../firmware/core/radio/vocabulary.js";

const GATEWAY = "24:0a:c4:00:00:01";
const OTHER = "24:0a:c4:00:00:09";
const GROUP = groupOf("garden");
const MINUTE_MS = 60_000;

class Search {
  state: SearchState;
  outputs: readonly SearchOutput[] = [];
  at = 0;
  constructor(stored?: string) {
    this.state = newSearch(GROUP, stored);
  }
  start = () => this.#take(startSearch(this.state, this.#stamp));
  fire = () => this.#take(searchTimer(this.state, this.#stamp));
  hear(from: string, bytes: Uint8Array) {
    return this.#take(searchHeard(this.state, { from, bytes, rssi: -60 }, this.#stamp));
  }
  /** The answer to what was asked last, or another. */
  beacon = (from = GATEWAY, channel = this.state.channel, group = GROUP) =>
    this.hear(from, writeBeacon({ type: "beacon", group, channel }));
  fail = () => {
    const step = searchFailed(this.state, this.#stamp);
    return step && this.#take(step);
  };
  doubt = () => this.#take(searchDoubt(this.state, this.at));
  /** Without logs. */
  get types(): string[] {
    return this.outputs.filter(({ type }) => type !== "log").map(({ type }) => type);
  }
  get stored(): string | undefined {
    return this.outputs.flatMap((output) => (output.type === "store" ? [output.value] : [])).at(-1);
  }
  get waitMs(): number {
    return this.outputs.flatMap((output) => (output.type === "setTimer" ? [output.delayMs] : [])).at(-1) ?? 0;
  }
  get asked(): string[] {
    return this.outputs.flatMap((output) => (output.type === "sendFrame" ? [output.to] : []));
  }
  get #stamp(): Stamp {
    return { at: this.at, random: 0.5, freeHeapBytes: 0 };
  }
  #take([state, outputs]: readonly [SearchState, readonly SearchOutput[]]): this {
    this.state = state;
    this.outputs = outputs;
    return this;
  }
}

/** The channels of a round, from its first question to the pause behind it. */
function round(search: Search, count = 13): number[] {
  const channels = [search.state.channel];
  while (search.state.askedCount < count) channels.push(search.fire().state.channel);
  return channels;
}

describe("a beacon", () => {
  it("has these bytes", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(writeBeacon({ type: "beacon", group: 0x12345678, channel: 6 }))).equal("28017856341206");
    expect(hex(writeBeacon({ type: "seek", group: 0xffffffff, channel: 1 }))).equal("2901ffffffff01");
    expect(groupOf("")).equal(0x811c9dc5);
    expect(groupOf("a")).equal(0xe40c292c); // of the authors of FNV
  });

  it("is read from any part of a buffer, and nothing else is", () => {
    const beacon = { type: "beacon", group: GROUP, channel: 13 } as const;
    expect(readBeacon(Uint8Array.from([9, ...writeBeacon(beacon)]).subarray(1))).deep.equal(beacon);
    const seek = { type: "seek", group: 1, channel: 0 } as const;
    expect(readBeacon(writeBeacon(seek))).deep.equal(seek);
    for (const bytes of [
      [],
      [0x28],
      [0x28, 1, 0, 0, 0, 0],
      [0x29, 1, 0, 0, 0, 0],
      [0x28, 2, 0, 0, 0, 0, 1],
      [0x28, 1, 0, 0, 0, 0, 14],
      [0x20, 1, 0, 0, 0, 0, 1],
    ])
      expect(readBeacon(Uint8Array.from(bytes)), `${bytes}`).equal(undefined);
  });
});

describe("the search for a gateway", () => {
  it("asks on all channels, and then again after ever longer pauses", () => {
    const search = new Search().start();
    expect(search.types).deep.equal(["startRadio", "sendFrame", "setTimer"]);
    expect(search.asked).deep.equal([BROADCAST]);
    expect(round(search)).deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      search.fire();
      expect(search.types).deep.equal(["tuneRadio", "setTimer"]);
      pauses.push(search.waitMs);
      search.fire();
      expect(round(search)).length(13);
    }
    expect(pauses[0]).equal(375);
    expect(pauses[8]).equal(22_500);
  });

  it("begins where the gateway was last, also after the pause", () => {
    const search = new Search(`${GATEWAY} 6`).start();
    const expected = [6, 6, 6, 7, 8, 9, 10, 11, 12, 13, 1, 2, 3, 4, 5];
    expect(search.waitMs).equal(150);
    expect(round(search)).deep.equal(expected);
    search.fire();
    expect(search.state.channel).equal(6);
  });

  it("asks four times where the gateway was before it asks on all channels again", () => {
    const search = new Search(`${GATEWAY} 6`).start();
    round(search);
    search.fire();
    for (let rounds = 1; rounds <= 6; rounds++) {
      const asked: number[] = [];
      search.fire();
      do asked.push(search.state.channel);
      while (search.fire().asked.length > 0);
      expect(new Set(asked).size, `round ${rounds}`).equal(rounds % 5 === 0 ? 13 : 1);
      expect(asked.slice(0, 3)).deep.equal([6, 6, 6]);
    }
  });

  it("keeps the first gateway of its group that answers", () => {
    const search = new Search().start();
    search.fire();
    search.fire();
    expect(search.beacon(OTHER, 0, groupOf("house")).types).deep.equal([]);
    search.beacon();
    expect(search.types).deep.equal(["store", "tuneRadio", "setTimer", "gatewayFound"]);
    expect(search.stored).equal(`${GATEWAY} 3`);
    expect(search.stored!.length).at.most(MAX_GATEWAY_LENGTH);
    expect(search.beacon(OTHER).state.gateway).equal(GATEWAY);
  });

  it("goes back to the channel that an answer is to, since it may have waited in the radio meanwhile", () => {
    const search = new Search().start();
    search.fire();
    search.fire();
    search.beacon(GATEWAY, 2);
    expect(search.outputs).deep.include({ type: "tuneRadio", channel: 2 });
    expect(search.stored).equal(`${GATEWAY} 2`);
  });

  it("asks the gateway whose beacon answers nobody, for that may be of the channel before", () => {
    const search = new Search().start();
    expect(search.beacon(GATEWAY, 0).asked).deep.equal([GATEWAY]);
    expect(search.state.phase).equal("seeking");
    expect(search.beacon().state.phase).equal("linked");
  });

  it("starts a radio anew that has failed, with growing pauses, and asks nothing before that", () => {
    const search = new Search();
    search.start();
    const pauses: number[] = [];
    for (let count = 0; count < 12; count++) {
      search.state = { ...search.state, radio: "down" };
      expect(search.fire().types).deep.equal(["startRadio", "setTimer"]);
      pauses.push(search.waitMs);
    }
    expect(pauses[0]).below(1_500);
    for (const [index, pause] of pauses.entries()) expect(pause).within(pauses[index - 1] ?? 1, 45_000);
    expect(pauses.at(-1)).above(15_000);
    expect(search.fire().types, "it may run now").deep.equal(["tuneRadio", "sendFrame", "setTimer"]);
  });

  it("leaves out the channels that its radio refuses, and says nothing of that", () => {
    const search = new Search(`${GATEWAY} 10`).start();
    expect(round(search, 3)).deep.equal([10, 10, 10, 11, 12]);
    expect(search.fail()?.types).deep.equal(["tuneRadio", "sendFrame", "setTimer"]);
    expect(round(search, 11)).deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    while (search.state.roundCount < 5) search.fire();
    search.fire();
    expect(round(search, 11)).deep.equal([10, 10, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("takes no other failure of its radio for a channel that is missing", () => {
    const search = new Search(`${GATEWAY} 11`).start();
    expect(search.fail()).equal(undefined);
    search.beacon(GATEWAY, 12);
    expect(search.fail(), "it is linked").equal(undefined);
  });

  it("looks elsewhere if its gateway was on a channel that its radio refuses", () => {
    const search = new Search(`${GATEWAY} 13`).start();
    search.fail();
    expect(round(search, 12)).deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    search.fire();
    expect(search.state.channel).equal(1);
    expect(search.types).deep.equal(["tuneRadio", "setTimer"]);
  });

  it("writes nothing when it finds what it has stored", () => {
    expect(new Search(`${GATEWAY} 1`).start().beacon().stored).equal(undefined);
  });

  it("takes another gateway only when the kept one was silent for ten minutes", () => {
    const search = new Search(`${GATEWAY} 6`).start();
    search.at = 9 * MINUTE_MS;
    expect(search.beacon(OTHER).state.phase).equal("seeking");
    search.at = 10 * MINUTE_MS;
    expect(search.beacon(OTHER).state).include({ phase: "linked", gateway: OTHER });
  });

  it("asks a gateway that is silent, and looks for it when it does not answer", () => {
    const search = new Search().start().beacon();
    search.at = 10_000;
    expect(search.fire().asked).deep.equal([]);
    search.at = 15_000;
    expect(search.fire().asked, "first by a frame that nobody has to acknowledge").deep.equal([BROADCAST]);
    search.at = 37_000;
    expect(search.fire().asked).deep.equal([GATEWAY]);
    search.at = 15_000;
    search.hear(GATEWAY, Uint8Array.of(0x38));
    search.at = 28_000;
    expect(search.fire().asked).deep.equal([]);
    search.at = 56_000;
    expect(search.fire().types).deep.equal(["gatewayLost", "sendFrame", "setTimer"]);
    expect(search.state.phase).equal("seeking");
  });

  it("counts only its gateway's frames as life, and asks it when it is doubted", () => {
    const search = new Search().start().beacon();
    search.at = 50_000;
    search.hear(OTHER, Uint8Array.of(0x38));
    expect(search.doubt().asked).deep.equal([BROADCAST]);
    expect(search.fire().types).include("gatewayLost");
    expect(search.doubt().asked).deep.equal([]);
  });

  it("leaves the question to a neighbour that has just asked, but not for long", () => {
    const seek = writeBeacon({ type: "seek", group: GROUP, channel: 1 });
    const search = new Search().start().beacon(GATEWAY, 1);
    search.at = 16_000;
    search.hear(OTHER, seek);
    expect(search.fire().asked).deep.equal([]);
    search.hear(OTHER, writeBeacon({ type: "seek", group: groupOf("house"), channel: 1 }));
    search.at = 20_000;
    expect(search.fire().asked, "of another group, and 4 s ago").deep.equal([BROADCAST]);
    search.at = 29_000;
    search.hear(OTHER, seek);
    expect(search.fire().asked, "the neighbour may be out of its range").deep.equal([BROADCAST]);
    search.at = 37_000;
    search.hear(OTHER, seek);
    expect(search.fire().asked, "a neighbour is not answered either").deep.equal([BROADCAST]);
  });

  it("asks once where the gateway was, if a neighbour asks there, too", () => {
    const search = new Search(`${GATEWAY} 6`).start();
    search.hear(OTHER, writeBeacon({ type: "seek", group: GROUP, channel: 6 }));
    expect(search.state.phase).equal("seeking");
    expect(round(search)).deep.equal([6, 7, 8, 9, 10, 11, 12, 13, 1, 2, 3, 4, 5]);
    const other = new Search(`${GATEWAY} 6`).start();
    other.hear(OTHER, writeBeacon({ type: "seek", group: GROUP, channel: 5 }));
    expect(round(other), "what was heard is of a channel beside it").length(15);
  });

  it("asks the sender of a version whether it is a gateway", () => {
    const search = new Search().start();
    expect(search.hear(GATEWAY, Uint8Array.of(0x10, 1, 2)).asked).deep.equal([GATEWAY]);
    expect(search.hear(GATEWAY, Uint8Array.of(0x11, 1, 2)).asked).deep.equal([]);
  });

  it("does nothing before it is started, and starts once", () => {
    const search = new Search();
    expect(search.beacon().types).deep.equal([]);
    expect(search.fire().types).deep.equal([]);
    expect(search.doubt().types).deep.equal([]);
    search.start();
    expect(search.start().types).deep.equal([]);
  });

  for (const stored of ["", "x", `${GATEWAY}`, `${GATEWAY} 0`, `${GATEWAY} 14`, `${GATEWAY} -1`, "short 6"])
    it(`starts afresh where NVS has ${JSON.stringify(stored)}`, () => {
      expect(new Search(stored).state).include({ gateway: "", homeChannel: 1 });
    });
});
