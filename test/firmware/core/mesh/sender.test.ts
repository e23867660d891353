import { expect } from "chai";
import { newDistribution } from "../../../../firmware/core/mesh/distribution.js";
import {
  type MeshGatewayEffect,
  type MeshGatewayEvent,
  type MeshGatewayState,
  type MeshGatewayStep,
  meshCancel,
  meshDistribute,
  meshGatewayStep,
  newMeshGateway,
} from "../../../../firmware/core/mesh/gateway.js";
import { type Message, readMessage } from "../../../../firmware/core/mesh/message.js";
import { MAX_NODE_COUNT } from "../../../../firmware/core/mesh/tree.js";
import { writeRequest } from "../../../../firmware/core/mesh/write.js";

const MD5 = "0123456789abcdef0123456789abcdef";
const BYTES = Uint8Array.from({ length: 2_500 }, (_, index) => index % 251);
/** Something else lies behind it. */
const CACHE = new Uint8Array(16_384).fill(0xee);
CACHE.set(BYTES, 4096);
const IMAGE = { md5: MD5, hardware: "ESP32", role: "led", isForced: false, isBroadcast: false };

/** A gateway whose cache begins with BYTES at 4096, and neighbours that take at once what they get, unless they are slow. */
class Gateway {
  state: MeshGatewayState = newMeshGateway("24:0a:00:00:00:64");
  now = 0;
  sent: { readonly neighbour: number; readonly message: Message; readonly bytes: Uint8Array | undefined }[] =
    [];
  reads: number[] = [];
  timers = new Map<string, number>();
  slow = new Set<number>();
  cacheFails = false;

  on(event: MeshGatewayEvent): this {
    return this.carryOut(meshGatewayStep(this.state, { ...event, at: this.now }));
  }
  carryOut([state, effects]: MeshGatewayStep): this {
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    return this;
  }
  #carryOut(effect: MeshGatewayEffect): void {
    if (effect.type === "setTimer") this.timers.set(effect.timer, this.now + effect.delayMs);
    if (effect.type === "clearTimer") this.timers.delete(effect.timer);
    if (effect.type === "sendMesh") {
      const { neighbour, text, part } = effect;
      const data = part ? Buffer.from(part.bytes).toString("base64") : "";
      const message = readMessage(part ? text + data + part.tail : text);
      expect(message, text).not.equal(undefined);
      this.sent.push({ neighbour, message: message!, bytes: part?.bytes.slice() });
      if (message?.kind === "sync") this.#isAlive(neighbour);
      if (!this.slow.has(neighbour)) this.on({ type: "meshSent", neighbour });
    }
    if (effect.type === "readCache") {
      const { attempt, offset, length } = effect;
      this.reads.push(offset);
      if (this.cacheFails) this.on({ type: "cacheFailed", attempt, message: "worn out" });
      else
        this.on({
          type: "cacheRead",
          attempt,
          offset,
          bytes: CACHE.slice(offset, offset + length),
        });
    }
  }
  #isAlive(neighbour: number): void {
    const known = this.state.neighbours.list.find(({ number }) => number === neighbour);
    const { nodeId = 0, ids = [] } = known ?? {};
    const subs = ids.slice(1).map((id) => ({ nodeId: id }));
    const text = JSON.stringify({ type: 6, nodeId, from: nodeId, dest: 100, subs });
    if (nodeId !== 0) this.on({ type: "meshReceived", neighbour, text });
  }
  /** A neighbour, with these nodes behind it. */
  join(neighbour: number, nodeId: number, behind: readonly number[] = []): this {
    const text = JSON.stringify({
      type: 5,
      nodeId,
      from: nodeId,
      dest: 0,
      subs: behind.map((id) => ({ nodeId: id })),
    });
    return this.on({ type: "meshConnected", neighbour }).on({ type: "meshReceived", neighbour, text });
  }
  distribute(changes: Partial<typeof IMAGE> = {}, release?: string): this {
    const image = { ...IMAGE, ...changes };
    const more = release === undefined ? {} : { release };
    return this.carryOut(
      meshDistribute(this.state, newDistribution({ image, sizeBytes: BYTES.length, offset: 4096, ...more })),
    );
  }
  ask(neighbour: number, nodeId: number, part: number, changes: object = {}): this {
    const image = { ...IMAGE, isCompressed: false, partCount: 3, ...changes };
    const text = writeRequest(nodeId, 100, image, part);
    return this.on({ type: "meshReceived", neighbour, text });
  }
  /** Until this time, timer by timer. */
  wait(ms: number): this {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.timers].filter(([, at]) => at <= end).sort(([, a], [, b]) => a - b);
      if (!next) break;
      this.timers.delete(next[0]);
      this.now = next[1];
      this.on({ type: "timerFired", timer: next[0] });
    }
    this.now = end;
    return this;
  }
  take(kind: Message["kind"]) {
    const taken = this.sent.filter(({ message }) => message.kind === kind);
    this.sent = [];
    return taken;
  }
  phaseOf(nodeId: number): string | undefined {
    return this.state.sender.distribution?.nodes.find((node) => node.nodeId === nodeId)?.phase;
  }
}

describe("a gateway of the mesh", () => {
  it("opens its port once, when the device is in its network", () => {
    const [state, effects] = meshGatewayStep(newMeshGateway(""), { type: "wifiJoined", at: 0 });
    expect(effects).deep.equal([{ type: "openMesh" }]);
    expect(meshGatewayStep(state, { type: "wifiJoined", at: 9 })[1]).deep.equal([]);
  });

  it("says that it is the root", () => {
    const gateway = new Gateway().join(1, 7);
    const [synced] = gateway.take("synced");
    expect(synced?.message).nested.property("tree.isRoot", true);
  });

  it("announces an image to all, with its release, and again every minute", () => {
    const gateway = new Gateway().join(1, 7).join(2, 8);
    gateway.take("sync");
    const told = gateway.distribute({}, "a.b.c").take("announce");
    expect(told.map(({ neighbour }) => neighbour)).deep.equal([1, 2]);
    expect(told[0]?.message).deep.include({
      routing: "broadcast",
      release: "a.b.c",
      image: { ...IMAGE, partCount: 3, isCompressed: false },
    });
    gateway.join(3, 9);
    expect(gateway.wait(59_000).take("announce")).length(0);
    expect(gateway.wait(2_000).take("announce")).length(3);
  });

  it("sends each node the part that it asks for, read from where the image is", () => {
    const gateway = new Gateway().join(1, 7).distribute();
    const got: Uint8Array[] = [];
    for (let part = 0; part < 3; part++) {
      const [sent] = gateway.ask(1, 7, part).take("part");
      expect(sent).deep.include({ neighbour: 1 });
      expect(sent?.message).include({ dest: 7, part, routing: "single" });
      got.push(sent!.bytes!);
    }
    expect(new Uint8Array(Buffer.concat(got))).deep.equal(BYTES);
    expect(gateway.reads).deep.equal([4096, 5120, 6144]);
  });

  it("sends parts to nodes behind a neighbour, too", () => {
    const gateway = new Gateway().join(1, 7, [8, 9]).distribute();
    const [sent] = gateway.ask(1, 9, 0).take("part");
    expect(sent).include({ neighbour: 1 });
    expect(sent?.message).include({ dest: 9 });
  });

  it("answers nothing about another image, a part that there is not, or a node that it does not know", () => {
    const gateway = new Gateway().join(1, 7).distribute();
    gateway
      .ask(1, 7, 0, { md5: "f".repeat(32) })
      .ask(1, 7, 0, { role: "dht" })
      .ask(1, 7, 3, { partCount: 9 });
    gateway.ask(1, 77, 0);
    expect(gateway.take("part")).length(0);
    expect(new Gateway().join(1, 7).ask(1, 7, 0).take("part"), "nothing is distributed").length(0);
  });

  it("holds one part at a time: the next is read when the last one has left", () => {
    const gateway = new Gateway().join(1, 7, [8]).join(2, 9).distribute();
    gateway.slow.add(1);
    gateway.ask(1, 7, 0).ask(1, 8, 0).ask(2, 9, 0);
    expect(gateway.take("part").map(({ message }) => message.dest)).deep.equal([7, 9]);
    gateway.on({ type: "meshSent", neighbour: 1 });
    expect(gateway.take("part").map(({ message }) => message.dest)).deep.equal([8]);
  });

  it("serves the others when a neighbour goes while it is slow", () => {
    const gateway = new Gateway().join(1, 7).join(2, 9).distribute();
    gateway.slow.add(1);
    gateway.ask(1, 7, 0).ask(1, 7, 1).on({ type: "meshClosed", neighbour: 1 });
    expect(
      gateway
        .ask(2, 9, 0)
        .take("part")
        .map(({ message }) => message.dest),
    ).deep.equal([7, 9]);
    expect(gateway.state.sender.busy).deep.equal([]);
  });

  it("goes on when a part cannot be read: the node asks again", () => {
    const gateway = new Gateway().join(1, 7).distribute();
    gateway.cacheFails = true;
    expect(gateway.ask(1, 7, 0).take("part")).length(0);
    gateway.cacheFails = false;
    expect(gateway.ask(1, 7, 0).take("part")).length(1);
  });

  it("keeps a bounded table: who comes too late asks again when it is another turn", () => {
    const gateway = new Gateway();
    const ids = Array.from({ length: MAX_NODE_COUNT + 10 }, (_, index) => 1_000 + index);
    gateway.join(1, 1, ids.slice(0, 40)).join(2, 2, ids.slice(40)).distribute();
    for (const [index, nodeId] of ids.entries()) gateway.ask(index < 40 ? 1 : 2, nodeId, 0);
    expect(gateway.state.sender.distribution?.nodes).length(MAX_NODE_COUNT);
    expect(gateway.take("part")).length(MAX_NODE_COUNT);
  });
});

describe("the progress of a node", () => {
  const whole = (gateway: Gateway): Gateway => {
    for (let part = 0; part < 3; part++) gateway.ask(1, 7, part);
    return gateway;
  };

  it("is done when the node comes back after its last part", () => {
    const gateway = new Gateway().join(1, 7).distribute().ask(1, 7, 0);
    expect(gateway.phaseOf(7)).equal("receiving");
    expect(whole(gateway).phaseOf(7)).equal("restarting");
    gateway.on({ type: "meshClosed", neighbour: 1 });
    expect(gateway.phaseOf(7)).equal("restarting");
    expect(gateway.join(2, 7).phaseOf(7)).equal("done");
  });

  it("is done as well when its connection only changes, as after a restart that nobody saw", () => {
    expect(whole(new Gateway().join(1, 7).distribute()).join(2, 7).phaseOf(7)).equal("done");
  });

  it("is done when three announcements bring no further request", () => {
    const gateway = whole(new Gateway().join(1, 7).distribute());
    expect(gateway.wait(190_000).phaseOf(7)).equal("restarting");
    expect(gateway.wait(60_000).phaseOf(7)).equal("done");
  });

  it("begins again when the image did not get through, three times at most", () => {
    const gateway = new Gateway().join(1, 7).distribute();
    for (let tries = 0; tries < 3; tries++) {
      expect(whole(gateway).phaseOf(7)).equal("restarting");
      expect(gateway.take("part")).length(3);
    }
    expect(gateway.ask(1, 7, 0).phaseOf(7)).equal("failed");
    expect(gateway.ask(1, 7, 0).take("part")).length(0);
  });

  it("has failed when nothing is heard of the node any more, until it asks again", () => {
    const gateway = new Gateway().join(1, 7).distribute().ask(1, 7, 0).wait(320_000);
    expect(gateway.phaseOf(7)).equal("receiving");
    expect(gateway.wait(60_000).phaseOf(7)).equal("failed");
    expect(gateway.ask(1, 7, 1).phaseOf(7)).equal("receiving");
  });
});

describe("a distribution that is forced", () => {
  it("is announced to all once, and then only to nodes that have not begun: others would take it again", () => {
    const gateway = new Gateway().join(1, 7, [8]).distribute({ isForced: true });
    expect(gateway.take("announce").map(({ message }) => message.routing)).deep.equal(["broadcast"]);
    gateway.ask(1, 7, 0);
    const again = gateway.wait(61_000).take("announce");
    expect(again.map(({ message: { routing, dest } }) => [routing, dest])).deep.equal([["single", 8]]);
  });
});

describe("a distribution that is cancelled", () => {
  it("is announced no more, and who asks on is told that nothing more comes", () => {
    const gateway = new Gateway().join(1, 7).distribute().ask(1, 7, 0);
    gateway.take("part");
    gateway.carryOut(meshCancel(gateway.state));
    const [end] = gateway.ask(1, 7, 1).take("part");
    expect(end?.message).deep.include({ part: 1, data: "" }).and.nested.property("image.partCount", 2);
    expect(gateway.wait(200_000).take("announce")).length(0);
    expect(gateway.reads).deep.equal([4096]);
  });

  it("of none, or once more, is nothing", () => {
    const gateway = new Gateway().join(1, 7);
    gateway.take("synced");
    gateway.carryOut(meshCancel(gateway.state)).carryOut(meshCancel(gateway.state));
    expect(gateway.ask(1, 7, 0).sent).deep.equal([]);
  });

  it("makes room for the next one", () => {
    const gateway = new Gateway().join(1, 7).distribute();
    gateway.carryOut(meshCancel(gateway.state)).distribute({ md5: "e".repeat(32) });
    expect(gateway.ask(1, 7, 0, { md5: "e".repeat(32) }).take("part")).length(1);
  });
});

describe("a distribution that the gateway leads", () => {
  it("sends all parts to all neighbours, 300 ms apart, and afterwards asks who has missed some", () => {
    const gateway = new Gateway().join(1, 7).join(2, 8).distribute({ isBroadcast: true });
    gateway.take("announce");
    const parts = gateway.wait(1_000).take("part");
    expect(
      parts.map(({ neighbour, message }) => [neighbour, message.kind === "part" && message.part]),
    ).deep.equal([
      [1, 0],
      [2, 0],
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ]);
    expect(parts.every(({ message }) => message.routing === "broadcast")).equal(true);
    const [again] = gateway.wait(60_000).take("announce");
    expect(again?.message).nested.property("image.isBroadcast", false);
    expect(gateway.ask(1, 7, 1).take("part")[0]?.message.routing).equal("single");
  });
});
