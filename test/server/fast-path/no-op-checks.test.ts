// How no-op checks share statements, against a store whose statements complete when the test says so.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { CheckRequest } from "../../../firmware/core/wire.js";
import { Live, type LiveMessage } from "../../../server/events/live.js";
import { NoOpChecks } from "../../../server/fast-path/no-op-checks.js";
import type { LastSeenUpdate } from "../../../server/store/store.js";

interface Statement {
  readonly updates: readonly LastSeenUpdate[];
  /** Devices whose key is still valid. */
  readonly end: (ids: readonly string[]) => void;
  readonly fail: () => void;
}

const check = (id: string, fields: Partial<CheckRequest> = {}): CheckRequest => ({
  device_id: id,
  device_type: "base",
  current_version: "1.0.0",
  current_build: 0,
  ...fields,
});

function open(now = 1000) {
  const statements: Statement[] = [];
  const store = {
    updateLastSeen: (updates: readonly LastSeenUpdate[]) =>
      new Promise<ReadonlySet<string>>((resolve, reject) => {
        statements.push({
          updates,
          end: (ids) => resolve(new Set(ids)),
          fail: () => reject(new Error("database is locked")),
        });
      }),
  };
  const live = new Live();
  return { checks: new NoOpChecks({ store, live, now: () => now }), statements, live };
}

/** Until everything that can proceed has. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await nextTurn();
}

const idsOf = (statement: Statement | undefined) => statement?.updates.map(({ deviceId }) => deviceId);

describe("no-op checks", () => {
  it("that arrive together are stored by one statement, and each gets its own answer", async () => {
    const { checks, statements } = open();
    const answers = ["a", "b", "c"].map((id) => checks.take(check(id), `key of ${id}`));
    await settle();
    expect(statements).to.have.length(1);
    expect(statements[0]?.updates.map(({ noOpKey }) => noOpKey)).to.deep.equal([
      "key of a",
      "key of b",
      "key of c",
    ]);
    statements[0]?.end(["a", "c"]);
    expect(await Promise.all(answers)).to.deep.equal([true, false, true]);
  });

  it("are not answered before they are stored", async () => {
    const { checks, statements } = open();
    let isAnswered = false;
    const answer = checks.take(check("a"), "key").finally(() => {
      isAnswered = true;
    });
    await settle();
    expect(isAnswered).to.equal(false);
    statements[0]?.end(["a"]);
    expect(await answer).to.equal(true);
  });

  it("store when the device was seen and its readings, if it sent any", async () => {
    const { checks, statements } = open(1234.6);
    const readings = { free_heap: 7, rssi: -60, uptime_seconds: 0.5, temperature_c: 21.5 };
    void checks.take(check("a", readings), "key");
    void checks.take(check("b"), "key");
    await settle();
    const common = { noOpKey: "key", seenAt: 1235 };
    expect(statements[0]?.updates).to.deep.equal([
      {
        ...common,
        deviceId: "a",
        freeHeap: 7,
        rssi: -60,
        uptimeSeconds: 0.5,
        readings: { temperature_c: 21.5 },
      },
      { ...common, deviceId: "b", freeHeap: null, rssi: null, uptimeSeconds: null, readings: null },
    ]);
  });

  it("of a device that is waiting or being stored take the full path", async () => {
    const { checks, statements } = open();
    const first = checks.take(check("a"), "key");
    expect(await checks.take(check("a"), "key"), "waiting").to.equal(false);
    await settle();
    expect(await checks.take(check("a"), "key"), "being stored").to.equal(false);
    statements[0]?.end(["a"]);
    expect(await first).to.equal(true);
    await settle();
    const next = checks.take(check("a"), "key");
    await settle();
    expect(statements).to.have.length(2);
    statements[1]?.end(["a"]);
    expect(await next, "stored").to.equal(true);
  });

  it("run two statements at a time, and collect more meanwhile", async () => {
    const { checks, statements } = open();
    const take = async (id: string) => {
      const answer = checks.take(check(id), "key");
      await settle();
      return { answer };
    };
    await take("a");
    await take("b");
    await take("c");
    const { answer } = await take("d");
    expect(statements.map(idsOf)).to.deep.equal([["a"], ["b"]]);
    statements[1]?.end(["b"]);
    await settle();
    expect(statements.map(idsOf)).to.deep.equal([["a"], ["b"], ["c", "d"]]);
    statements[2]?.end(["d"]);
    expect(await answer).to.equal(true);
  });

  it("wait for others as long as every turn of the event loop brings some, up to 16", async () => {
    const { checks, statements } = open();
    let count = 0;
    const bring = (): void => {
      // Before the check, so that the next comes before its batch looks whether there is more.
      if (count < 40) setImmediate(bring);
      void checks.take(check(`device-${count++}`), "key");
    };
    bring();
    await settle();
    expect(statements[0]?.updates).to.have.length(16);
  });

  it("take the full path if they cannot be stored, and the next one tries again", async () => {
    const { checks, statements } = open();
    const failed = [checks.take(check("a"), "key"), checks.take(check("b"), "key")];
    await settle();
    statements[0]?.fail();
    expect(await Promise.all(failed)).to.deep.equal([false, false]);
    const next = checks.take(check("a"), "key");
    await settle();
    statements[1]?.end(["a"]);
    expect(await next).to.equal(true);
  });

  it("are published to watchers once they were stored", async () => {
    const { checks, statements, live } = open();
    const messages: LiveMessage[] = [];
    live.watch({ message: (message) => messages.push(message) });
    const answers = [checks.take(check("a", { rssi: -60 }), "key"), checks.take(check("b"), "key")];
    await settle();
    expect(messages).to.deep.equal([]);
    statements[0]?.end(["a"]);
    await Promise.all(answers);
    const seen = { id: "a", lastSeen: 1000, freeHeap: null, rssi: -60, uptimeSeconds: null, readings: null };
    expect(messages).to.deep.equal([{ type: "seen", seen: [seen] }]);
    void checks.take(check("b"), "key");
    await settle();
    statements[1]?.end([]);
    await settle();
    expect(messages, "nothing was stored").to.have.length(1);
  });
});
