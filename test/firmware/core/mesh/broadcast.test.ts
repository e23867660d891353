// An app's own texts in a painlessMesh: who gets them, and what is read of one.

import { expect } from "chai";
import { broadcast, broadcastText } from "../../../../firmware/core/mesh/broadcast.js";
import { neighboursStep } from "../../../../firmware/core/mesh/neighbours.js";
import { type NeighboursState, newNeighbours } from "../../../../firmware/core/mesh/neighbours-state.js";

/** Node 100 with the neighbours 1, who has said that it is 7, and 2, who has said nothing. */
function meshed(): NeighboursState {
  let state = newNeighbours(100, { isRoot: false, keepsTime: false });
  const sync = JSON.stringify({ nodeId: 7, type: 5, dest: 100, from: 7 });
  for (const event of [
    { type: "meshConnected", neighbour: 1 },
    { type: "meshConnected", neighbour: 2 },
    { type: "meshReceived", neighbour: 1, text: sync },
  ] as const)
    [state] = neighboursStep(state, { ...event, at: 0 });
  return state;
}

describe("a broadcast in a painlessMesh", () => {
  it("goes to each neighbour that is known, as the library writes it", () => {
    expect(broadcast(meshed(), 'say "hi"')).deep.equal([
      { type: "sendMesh", neighbour: 1, text: '{"type":8,"dest":0,"from":100,"msg":"say \\"hi\\""}' },
    ]);
    expect(broadcast(newNeighbours(100, { isRoot: false, keepsTime: false }), "hi")).deep.equal([]);
  });

  it("is read back, and so is a message to this node alone", () => {
    const read = (message: object) => broadcastText(JSON.stringify(message), meshed());
    expect(read({ type: 8, from: 7, dest: 0, msg: "hi" })).equal("hi");
    expect(read({ type: 9, from: 7, dest: 100, msg: "hi" })).equal("hi");
    expect(read({ type: 9, from: 7, dest: 8, msg: "hi" }), "for another").equal(undefined);
    expect(read({ type: 8, from: 100, dest: 0, msg: "hi" }), "our own, come back").equal(undefined);
    expect(read({ type: 10, from: 7, dest: 0, msg: "hi" }), "of another kind").equal(undefined);
    expect(read({ type: 8, from: 7, dest: 0, msg: { a: 1 } }), "no text").equal(undefined);
    expect(read({ type: 8, from: 7, dest: 0, msg: "x".repeat(513) }), "too long").equal(undefined);
    expect(read({ type: 8, from: 7, dest: 0, msg: "hi", more: "x".repeat(2000) })).equal(undefined);
    expect(broadcastText("{", meshed())).equal(undefined);
  });
});
