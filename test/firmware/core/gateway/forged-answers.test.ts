// What somebody in range says in the gateway's name, whose address anybody can send from. Nothing that is installed depends on it: the slot holds
// what was proved there, or what the device may have to go back to.

import { expect } from "chai";
import type { ExchangeAnswer } from "../../../../firmware/core/radio/exchange-message.js";
import { expectUpdated, field, MINUTE_MS, RELEASE, serverOf } from "./field-fixtures.js";
import { UpdateServer } from "./update-server.js";

const BLOCKS: ExchangeAnswer = Object.freeze({
  status: 206,
  headers: Object.freeze({ "x-skyslot-blocks": "0123456789abcdef 40000 16384" }),
  body: new Uint8Array(0),
});

describe("a device without a network", () => {
  it("lets nothing come into its slot when its check is answered with an image", () => {
    let forgedCount = 0;
    const member = ({ target }: { readonly target: string }) => {
      if (target !== "/api/ota/check") return undefined;
      forgedCount += 1;
      return BLOCKS;
    };
    const { node, air } = field({ server: new UpdateServer(), settings: { member } });
    const { slot } = node.body;
    slot.bytes.fill(0x5a);
    air.runFor(3 * MINUTE_MS);
    expect(forgedCount).above(1);
    expect(slot.bytes.every((byte) => byte === 0x5a)).equal(true);
    expect(node.state.blocks).equal(undefined);
  });

  it("changes nothing of what it has proved when its reports are answered with an image", () => {
    let forgedCount = 0;
    const member = ({ target }: { readonly target: string }) => {
      if (target !== "/api/ota/status") return undefined;
      forgedCount += 1;
      return BLOCKS;
    };
    const one = field({ server: serverOf(RELEASE), settings: { member } });
    const { slot } = one.node.body;
    let armed: Uint8Array | undefined;
    const isOver = () => {
      if (one.node.body.armed) armed ??= slot.bytes.slice();
      return one.node.runs("1.1.0");
    };
    expect(one.air.runUntil(isOver, 10 * MINUTE_MS)).equal(true);
    one.air.runFor(MINUTE_MS);
    expect(forgedCount).above(1);
    expectUpdated(one);
    expect(armed).deep.equal(slot.bytes);
  });
});
