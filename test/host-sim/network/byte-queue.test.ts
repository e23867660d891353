import { expect } from "chai";
import { ByteQueue } from "../../../host-sim/network/byte-queue.js";

const queueOf = (...pieces: number[][]) => {
  const queue = new ByteQueue();
  for (const piece of pieces) queue.push(Uint8Array.from(piece));
  return queue;
};

describe("a queue of bytes", () => {
  it("returns the bytes in order, however they were added and are taken", () => {
    const queue = queueOf([1, 2, 3], [4], [5, 6]);
    expect([...queue.take(2), ...queue.take(3), ...queue.take(9)]).deep.equal([1, 2, 3, 4, 5, 6]);
    expect([queue.byteCount, queue.take(1).length]).deep.equal([0, 0]);
  });

  it("announces a piece when its last byte is taken, not before", () => {
    const queue = queueOf([1, 2, 3], [4, 5]);
    const emptied: number[] = [];
    for (const count of [2, 1, 1, 1]) {
      queue.take(count, (pieceBytes) => emptied.push(pieceBytes));
      emptied.push(-queue.byteCount);
    }
    expect(emptied).deep.equal([-3, 3, -2, -1, 2, -0]);
  });

  it("puts a piece back in front of what is left of the first one", () => {
    const queue = queueOf([1, 2, 3]);
    queue.unshift(queue.take(2));
    expect([queue.byteCount, ...queue.take(3)]).deep.equal([3, 1, 2, 3]);
  });

  it("is empty after it is cleared", () => {
    const queue = queueOf([1, 2, 3], [4]);
    queue.take(1);
    queue.clear();
    queue.push(Uint8Array.of(9));
    expect([...queue.take(5)]).deep.equal([9]);
  });
});
