// How far the transmitter is with an image that comes by radio: what /api/system says, and what its page makes of it. The page's script runs in
// jsdom on the world's clock, and asks the receiver as often as in a browser.

import { expect } from "chai";
import { JSDOM } from "jsdom";
import { pairPage } from "../../../firmware/portal/pair/pair-page.js";
import { heldBytes, Watch } from "../../../host-sim/device/watch.js";
import { type PairRig, pairImage, setUpPair } from "./pair-rig.js";
import { publish } from "./publish.js";

/** A bad place for a radio: the image takes long enough for a page that looks every 5 s. */
const LOSS = 0.4;
const LOOK_MS = 5_000;
const LIMIT_MS = 30 * 60_000;
/** One block of 16 KiB is under way, and another one is being written. */
const BLOCK_PERCENT = 10;

interface Look {
  readonly atMs: number;
  /** What /api/system has said meanwhile; undefined: there was no job. */
  readonly percent: number | undefined;
  readonly phase: string;
  readonly state: string;
  readonly bar: { readonly hidden: boolean; readonly value: number };
  /** Of the image, what the transmitter's slot holds. */
  readonly heldPercent: number;
}

describe("the page of a pair while the transmitter receives its image", function () {
  this.timeout(60_000);
  let pair: PairRig;
  let page: JSDOM;
  const looks: Look[] = [];

  before(async function () {
    this.timeout(180_000);
    pair = await setUpPair();
    const { world, network } = pair.desk;
    const image = await pairImage("transmitter", "1.1.0");
    await publish(pair, "1.1.0", { receiver: await pairImage("receiver", "1.1.0"), transmitter: image });
    const watch = new Watch(pair.transmitter);
    const held = (): number => {
      const slot = watch.slots.get("ota_0");
      return slot ? (100 * heldBytes(slot)) / image.length : 0;
    };
    pair.powerOn();
    network.espNow.conditions = { ...network.espNow.conditions, loss: LOSS };
    const has = (text: string) => () => pair.lines.receiver.some((line) => line.includes(text));
    expect(await pair.until(has("system 1.1.0: staging"), LIMIT_MS)).equal(true);
    expect(await pair.until(() => held() > 0, LIMIT_MS)).equal(true);

    let refresh: () => Promise<void> = async () => undefined;
    let system = "{}";
    page = new JSDOM(pairPage, {
      url: "http://receiver.local/ota",
      runScripts: "dangerously",
      beforeParse(window) {
        Object.assign(window, {
          async fetch(path: string) {
            const text = await pair.text(path);
            if (path === "/api/system") system = text;
            return { status: 200, headers: new Headers(), json: async () => JSON.parse(text) };
          },
          setInterval(action: () => Promise<void>, ms: number) {
            expect(ms).equal(LOOK_MS);
            refresh = action;
          },
        });
        (window as unknown as { Date: { now(): number } }).Date.now = () => world.nowMs;
      },
    });
    const { document } = page.window;
    for (;;) {
      await world.runFor(LOOK_MS);
      await refresh();
      const { job } = JSON.parse(system);
      const bar = document.querySelector<HTMLProgressElement>("#radio-bar")!;
      looks.push({
        atMs: world.nowMs,
        percent: job?.transmitterPercent,
        phase: job?.phase ?? "",
        state: document.querySelector("#system-state")?.textContent ?? "",
        bar: { hidden: bar.hidden !== false, value: bar.value },
        heldPercent: held(),
      });
      if (looks.at(-1)!.phase !== "staging" || world.nowMs > LIMIT_MS) break;
    }
  });
  after(async () => {
    page?.window.close();
    await pair?.close();
  });

  const under = () =>
    looks.filter(({ percent = 0, phase }) => phase === "staging" && percent > 0 && percent < 99);

  it("is told how much of it that one has about, within a block of what its slot holds", () => {
    expect(under().length, "looks during the transfer").above(5);
    for (const [index, { percent = 0, heldPercent }] of under().entries()) {
      expect(percent).at.least(under()[index - 1]?.percent ?? 1);
      expect(percent).within(heldPercent - BLOCK_PERCENT, heldPercent + BLOCK_PERCENT);
    }
  });

  it("shows that, with a bar", () => {
    for (const { percent, state, bar } of under()) {
      expect(state).include(`1.1.0: the devices receive their images. The transmitter has ${percent} %`);
      expect(bar).deep.equal({ hidden: false, value: percent });
    }
  });

  it("shows how much time is left, as soon as it has seen some of it go", () => {
    const endMs = looks.find(({ percent = 0 }) => percent >= 99)!.atMs;
    const [first, ...others] = under();
    expect(first!.state).match(/ %$/);
    for (const { atMs, state } of others) {
      const seconds = Number(/, about (\d+) s left$/.exec(state)?.[1]);
      const actual = (endMs - atMs) / 1000;
      expect(seconds, state).within(actual / 2 - 5, actual * 2 + 5);
    }
  });

  it("promises no time while the transmitter checks its image, and says nothing of it once both start", () => {
    const checking = looks.filter(({ percent = 0, phase }) => phase === "staging" && percent >= 99);
    expect(checking.length).above(0);
    for (const { percent, state } of checking) expect(state).match(new RegExp(` has ${percent} %$`));
    expect(looks.at(-1)).deep.include({
      phase: "committing",
      state: "1.1.0: they start, one after the other.",
      bar: { hidden: true, value: 0 },
    });
  });
});
