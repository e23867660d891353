import { expect } from "chai";
import { MAX_PART_COUNT, type MeshImage, readMessage } from "../../../../firmware/core/mesh/message.js";
import { nodeIdOf } from "../../../../firmware/core/mesh/node-id.js";
import { MAX_NODE_COUNT } from "../../../../firmware/core/mesh/tree.js";
import {
  writeAnnounce,
  writePart,
  writeRequest,
  writeSync,
  writeTime,
} from "../../../../firmware/core/mesh/write.js";

const IMAGE: MeshImage = {
  md5: "0123456789abcdef0123456789abcdef",
  hardware: "ESP32",
  role: "led",
  partCount: 3,
  isForced: false,
  isBroadcast: false,
  isCompressed: false,
};
const read = (value: object | string) =>
  readMessage(typeof value === "string" ? value : JSON.stringify(value));

describe("the id of a mesh node", () => {
  it("is the last four bytes of its MAC, as a number", () => {
    expect(nodeIdOf("24:0a:c4:3e:ec:e8")).equal(0xc43eece8);
    expect(nodeIdOf("00:00:ff:ff:ff:ff")).equal(0xffffffff);
    expect(nodeIdOf("")).equal(0);
  });
});

describe("a message of the mesh", () => {
  it("is read as it was written, of each kind", () => {
    const flagged = { ...IMAGE, isForced: true, isBroadcast: true, isCompressed: true };
    for (const image of [IMAGE, flagged, { ...IMAGE, role: 'a "role"' }]) {
      expect(read(writeAnnounce(7, image, { release: "a.b.c" }))).deep.equal({
        kind: "announce",
        from: 7,
        dest: 0,
        routing: "broadcast",
        image,
        release: "a.b.c",
      });
      expect(read(writeRequest(7, 8, image, 2))).deep.equal({
        kind: "request",
        from: 7,
        dest: 8,
        routing: "single",
        image,
        part: 2,
      });
      const { text, tail } = writePart(7, 8, image, 1);
      expect(read(`${text}AAEC${tail}`)).deep.equal({
        kind: "part",
        from: 7,
        dest: 8,
        routing: image.isBroadcast ? "broadcast" : "single",
        image,
        part: 1,
        data: "AAEC",
      });
    }
    expect(read(writeTime("delay", { from: 7, dest: 8 }, [1, 2, 3]))).deep.equal({
      kind: "delay",
      from: 7,
      dest: 8,
      routing: "single",
      step: 2,
      t0: 1,
      t1: 2,
      t2: 3,
    });
  });

  it("to one node only is announced to it alone", () => {
    expect(read(writeAnnounce(7, IMAGE, { dest: 9 }))).include({
      kind: "announce",
      routing: "single",
      dest: 9,
    });
  });

  it("of another plugin is known by its way only", () => {
    expect(read({ type: 9, dest: 5, from: 4, msg: "hello" })).deep.equal({
      kind: "other",
      from: 4,
      dest: 5,
      routing: "single",
    });
    expect(read({ type: 8, from: 4, dest: 0, msg: "hello" })).include({ routing: "broadcast" });
    expect(read({ type: 13, routing: 2, from: 4 })).include({ kind: "other", routing: "broadcast" });
  });

  it("is none when it is malformed, of an unknown time, or without a type", () => {
    for (const text of [
      "",
      "{",
      "[]",
      "5",
      '{"type":"5"}',
      '{"type":5',
      '{"type":4,"msg":{"type":3}}',
      '{"type":4}',
    ])
      expect(read(text), text).equal(undefined);
    expect(read("[".repeat(5_000))).equal(undefined);
  });

  const announce = JSON.parse(writeAnnounce(7, IMAGE)) as object;
  const part = { ...announce, type: 12, routing: 1, dest: 8, partNo: 1, data: "AAEC" };
  for (const [what, value] of Object.entries<object>({
    "no MD5": { ...announce, md5: undefined },
    "an MD5 of 31 digits": { ...announce, md5: "0".repeat(31) },
    "an MD5 that is none": { ...announce, md5: "g".repeat(32) },
    "no role": { ...announce, role: 5 },
    "a role without end": { ...announce, role: "x".repeat(33) },
    "no hardware": { ...announce, hardware: null },
    "no parts": { ...announce, noPart: 0 },
    "too many parts": { ...announce, noPart: MAX_PART_COUNT + 1 },
    "half a part": { ...announce, noPart: 2.5 },
    "a part that is not one of its parts": { ...part, partNo: 3 },
    "a part before the first": { ...part, partNo: -1 },
    "no data": { ...part, data: 17 },
    "a part of more than a sector": { ...part, data: "A".repeat(5_468) },
  }))
    it(`about an image is none with ${what}`, () => expect(read(value)).equal(undefined));

  it("about an image has no release when that is too long, or no text", () => {
    expect(read({ ...announce, release: "x".repeat(2_049) }))
      .property("release")
      .equal(undefined);
    expect(read({ ...announce, release: 5 }))
      .property("release")
      .equal(undefined);
  });
});

describe("the tree of a neighbour", () => {
  const sync = (tree: object) => read({ ...tree, type: 5, dest: 0, from: 1 });
  const treeOf = (tree: object) => {
    const message = sync(tree);
    return message?.kind === "sync" ? message.tree : undefined;
  };

  it("has the ids of all who are behind it, and is written as it was told", () => {
    const subs = [
      { nodeId: 2, subs: [{ nodeId: 3 }] },
      { nodeId: 4, root: true },
    ];
    const tree = treeOf({ nodeId: 1, subs });
    expect(tree).deep.equal({
      nodeId: 1,
      ids: [1, 2, 3, 4],
      isRoot: false,
      text: JSON.stringify({ nodeId: 1, subs }),
    });
    const text = writeSync({ isReply: true, from: 9, dest: 5, isRoot: false, subs: [tree!.text] });
    expect(treeOf(JSON.parse(text) as object)?.ids).deep.equal([9, 1, 2, 3, 4]);
    expect(read(text)).property("kind").equal("synced");
  });

  it("begins with the sender where it does not say who it is", () => {
    expect(treeOf({})).include({ nodeId: 1 });
    expect(read({ type: 5, dest: 0 })).equal(undefined);
  });

  it("is none when a node is in it twice, or one has no id", () => {
    expect(treeOf({ nodeId: 1, subs: [{ nodeId: 1 }] })).equal(undefined);
    expect(treeOf({ nodeId: 1, subs: [{ nodeId: 2 }, { nodeId: 2 }] })).equal(undefined);
    expect(treeOf({ nodeId: 1, subs: [{ subs: [] }] })).equal(undefined);
    expect(treeOf({ nodeId: 1, subs: [5] })).equal(undefined);
  });

  it("is none when it has more nodes than a gateway serves, or is too deep", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ nodeId: index + 2 }));
    expect(treeOf({ nodeId: 1, subs: many(MAX_NODE_COUNT - 1) })?.ids).length(MAX_NODE_COUNT);
    expect(treeOf({ nodeId: 1, subs: many(MAX_NODE_COUNT) })).equal(undefined);
    let deep: object = { nodeId: 1_000 };
    for (let nodeId = 999; nodeId > 985; nodeId--) deep = { nodeId, subs: [deep] };
    expect(treeOf(deep)).equal(undefined);
  });
});
