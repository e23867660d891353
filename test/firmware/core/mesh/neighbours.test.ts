import { expect } from "chai";
import { readMessage } from "../../../../firmware/core/mesh/message.js";
import { neighboursStep } from "../../../../firmware/core/mesh/neighbours.js";
import {
  type Heard,
  type NeighboursState,
  type NodeEffect,
  newNeighbours,
  reachable,
  routeTo,
} from "../../../../firmware/core/mesh/neighbours-state.js";
import { MAX_NEIGHBOUR_COUNT, type MeshEvent } from "../../../../firmware/core/mesh/vocabulary.js";

/** Node 100 and whom it talks to. */
class Mesh {
  state: NeighboursState;
  now = 0;
  effects: readonly NodeEffect[] = [];
  heard: Heard | undefined;

  constructor(options = { isRoot: false, keepsTime: true }) {
    this.state = newNeighbours(100, options);
  }

  on(event: MeshEvent | { readonly type: "timerFired"; readonly timer: string }): this {
    [this.state, this.effects, this.heard] = neighboursStep(this.state, { ...event, at: this.now });
    return this;
  }
  connect(neighbour: number): this {
    return this.on({ type: "meshConnected", neighbour });
  }
  say(neighbour: number, message: object): this {
    return this.on({ type: "meshReceived", neighbour, text: JSON.stringify(message) });
  }
  /** A neighbour tells who it is. */
  sync(neighbour: number, nodeId: number, subs: readonly object[] = [], type = 5): this {
    return this.say(neighbour, { nodeId, type, dest: 100, from: nodeId, subs });
  }
  /** Until the timer is due. */
  wait(): this {
    this.now = Math.max(this.now, this.state.timerAt);
    return this.on({ type: "timerFired", timer: "mesh.neighbours" });
  }
  /** Messages to a neighbour, by their kind. */
  told(neighbour: number): string[] {
    return this.effects.flatMap((effect) => {
      if (effect.type !== "sendMesh" || effect.neighbour !== neighbour) return [];
      const message = readMessage(effect.text);
      return [message?.kind === "time" ? `time ${message.step}` : (message?.kind ?? "?")];
    });
  }
  get dropped(): number[] {
    return this.effects.flatMap((effect) => (effect.type === "dropMesh" ? [effect.neighbour] : []));
  }
}

describe("a neighbour in the mesh", () => {
  it("that has connected is asked who it is after 10 s, one that we connect to at once", () => {
    const mesh = new Mesh().connect(1);
    expect(mesh.told(1)).deep.equal([]);
    expect(mesh.effects).deep.equal([{ type: "setTimer", timer: "mesh.neighbours", delayMs: 10_000 }]);
    expect(mesh.wait().told(1)).deep.equal(["sync"]);
    expect(new Mesh().connect(-1).told(-1)).deep.equal(["sync"]);
  });

  it("is answered who we are, and who else is here", () => {
    const mesh = new Mesh()
      .connect(1)
      .connect(2)
      .sync(1, 7, [{ nodeId: 8 }]);
    expect(mesh.told(1)).deep.equal(["synced"]);
    mesh.sync(2, 9);
    const synced = mesh.effects.find((effect) => effect.type === "sendMesh" && effect.neighbour === 2);
    expect(synced)
      .property("text")
      .equal('{"nodeId":100,"type":6,"dest":9,"from":100,"subs":[{"nodeId":7,"subs":[{"nodeId":8}]}]}');
    expect(reachable(mesh.state)).deep.equal([7, 8, 9]);
    expect(routeTo(mesh.state, 8)?.number).equal(1);
  });

  it("hears of it at once when somebody comes or goes behind us", () => {
    const mesh = new Mesh().connect(1).sync(1, 7).connect(2).sync(2, 9);
    expect(mesh.told(1)).deep.equal(["sync"]);
    expect(mesh.on({ type: "meshClosed", neighbour: 2 }).told(1)).deep.equal(["sync"]);
    expect(reachable(mesh.state)).deep.equal([7]);
  });

  it("is asked every minute, and dropped when it does not answer within 10 s", () => {
    const mesh = new Mesh({ isRoot: false, keepsTime: false }).connect(1).sync(1, 7).wait();
    expect(mesh.now).equal(10_000);
    mesh.sync(1, 7, [], 6).wait();
    expect(mesh.now).equal(70_000);
    expect(mesh.told(1)).deep.equal(["sync"]);
    expect(mesh.wait().dropped).deep.equal([1]);
    expect(mesh.now).equal(80_000);
    expect(reachable(mesh.state)).deep.equal([]);
  });

  it("that never says who it is is dropped, and nothing that it says is heard", () => {
    const mesh = new Mesh().connect(1);
    mesh.say(1, {
      type: 10,
      routing: 2,
      from: 7,
      md5: "0".repeat(32),
      hardware: "ESP32",
      role: "a",
      noPart: 1,
    });
    expect(mesh.heard).equal(undefined);
    mesh.wait();
    expect(mesh.wait().dropped).deep.equal([1]);
  });

  it("that says now that it is another one is dropped", () => {
    const mesh = new Mesh().connect(1).sync(1, 7).sync(1, 8);
    expect(mesh.dropped).deep.equal([1]);
  });

  it("is dropped when we are behind it, or it behind another neighbour", () => {
    expect(new Mesh().connect(1).sync(1, 7, [{ nodeId: 100 }]).dropped).deep.equal([1]);
    const mesh = new Mesh()
      .connect(1)
      .sync(1, 7, [{ nodeId: 8 }])
      .connect(2)
      .sync(2, 8);
    expect(mesh.dropped).deep.equal([2]);
    expect(routeTo(mesh.state, 8)?.number).equal(1);
  });

  it("that has restarted and comes anew takes the place of its old connection", () => {
    const mesh = new Mesh().connect(1).sync(1, 7).connect(2).sync(2, 7);
    expect(mesh.dropped).deep.equal([1]);
    expect(routeTo(mesh.state, 7)?.number).equal(2);
    expect(mesh.told(2)).include("synced");
  });

  it("is one of ten at most", () => {
    const mesh = new Mesh();
    for (let number = 1; number <= MAX_NEIGHBOUR_COUNT; number++) mesh.connect(number);
    expect(mesh.dropped).deep.equal([]);
    expect(mesh.connect(99).dropped).deep.equal([99]);
    expect(mesh.state.list).length(MAX_NEIGHBOUR_COUNT);
  });
});

describe("a message in the mesh", () => {
  const other = { type: 9, from: 7, msg: "hello" };
  const three = () =>
    new Mesh()
      .connect(1)
      .sync(1, 7)
      .connect(2)
      .sync(2, 8, [{ nodeId: 9 }])
      .connect(3)
      .sync(3, 10);

  it("for another node goes its way, as it came, and is not heard here", () => {
    const mesh = three().say(1, { ...other, dest: 9 });
    expect(mesh.effects).deep.equal([
      { type: "sendMesh", neighbour: 2, text: JSON.stringify({ ...other, dest: 9 }) },
    ]);
    expect(mesh.heard).equal(undefined);
  });

  it("for a node that nobody knows, or that is where it came from, ends here", () => {
    expect(three().say(1, { ...other, dest: 55 }).effects).deep.equal([]);
    expect(three().say(1, { ...other, dest: 7 }).effects).deep.equal([]);
    expect(three().say(1, { ...other, dest: 0 }).effects).deep.equal([]);
  });

  it("for all is heard here and by all but the one that brings it", () => {
    const mesh = three().say(2, { ...other, type: 8 });
    expect(mesh.told(1).concat(mesh.told(3))).deep.equal(["other", "other"]);
    expect(mesh.told(2)).deep.equal([]);
    expect(mesh.heard?.neighbour.number).equal(2);
  });

  it("for this node is heard, and of a stranger nothing is", () => {
    expect(three().say(1, { ...other, dest: 100 }).heard?.message.kind).equal("other");
    expect(three().say(44, { ...other, dest: 100 }).effects).deep.equal([]);
  });
});

describe("the time in the mesh", () => {
  const time = (step: number, times: object = {}) => ({
    type: 4,
    dest: 100,
    from: 7,
    msg: { type: step, ...times },
  });

  it("is asked of a neighbour with more behind it, and offered to one with less", () => {
    const few = new Mesh().connect(-1).sync(-1, 7);
    expect(few.told(-1)).include("time 0");
    const many = new Mesh().connect(-1).sync(-1, 7, [{ nodeId: 8 }]);
    expect(many.told(-1)).include("time 1");
  });

  it("is told when it is asked, with a making that nodes believe", () => {
    const mesh = new Mesh().connect(1).sync(1, 7);
    mesh.now = 2_000;
    mesh.say(1, time(1, { t0: 5 }));
    expect(mesh.effects[0])
      .property("text")
      .equal('{"type":4,"dest":7,"from":100,"msg":{"type":2,"t0":5,"t1":2000000,"t2":2001500}}');
    expect(mesh.say(1, time(0)).told(1)).deep.equal(["time 1"]);
  });

  it("is asked again every 200 ms until the clocks are in step, then every minute", () => {
    const mesh = new Mesh().connect(-1).sync(-1, 7, [{ nodeId: 8 }]);
    mesh.now = 1_000;
    mesh.say(-1, time(2, { t0: 1_000_000, t1: 9_000_000, t2: 9_001_500 }));
    expect(mesh.state.clockUs).within(8_000_000, 8_001_000);
    expect(mesh.wait().told(-1)).include("time 1");
    expect(mesh.now).equal(1_200);
    const t0 = 9_200_750;
    mesh.say(-1, time(2, { t0, t1: t0 + 1_000, t2: t0 + 2_500 }));
    expect(mesh.state.list[0]?.timeAt).equal(61_200);
  });

  it("is never asked for by a gateway, which only answers", () => {
    const mesh = new Mesh({ isRoot: true, keepsTime: false }).connect(1).sync(1, 7, [{ nodeId: 8 }]);
    for (let minute = 0; minute < 3; minute++) mesh.wait().sync(1, 7, [{ nodeId: 8 }], 6);
    expect(mesh.state.list[0]?.timeAt).equal(Infinity);
    const t0 = mesh.now * 1000;
    mesh.say(1, time(2, { t0, t1: t0 + 9_000_000, t2: t0 + 9_001_500 }));
    expect(mesh.state.clockUs).equal(0);
    expect(mesh.say(1, time(1, { t0: 5 })).told(1)).deep.equal(["time 2"]);
  });

  it("of a message's way to here is answered, whoever asks", () => {
    const mesh = new Mesh().connect(1).sync(1, 7, [{ nodeId: 8 }]);
    mesh.say(1, { type: 3, dest: 100, from: 8, msg: { type: 1, t0: 5 } });
    expect(mesh.effects[0]).include({ type: "sendMesh", neighbour: 1 });
    expect(mesh.effects[0])
      .property("text")
      .match(/^\{"type":3,"dest":8,"from":100,"msg":\{"type":2,"t0":5,/);
  });
});
