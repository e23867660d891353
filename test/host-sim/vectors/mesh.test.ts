// The comparison with measured sessions of painlessMesh: ours are equal, and a difference that is planted in a session is found.

import { expect } from "chai";
import type { FileReport } from "../../../host-sim/vectors/comparison.js";
import {
  checkMeshSession,
  type MeshSession,
  meshSessionNames,
  readMeshSession,
} from "../../../host-sim/vectors/mesh.js";
import { vectorFolder } from "../../golden.js";

const check = (session: MeshSession): readonly [node: FileReport, gateway: FileReport] =>
  checkMeshSession(vectorFolder, session) as [FileReport, FileReport];
const sessionOf = (name: string) => readMeshSession(vectorFolder, name);

/** Changes the text of the nth message of one side. */
function altered(
  name: string,
  dir: "sent" | "received",
  count: number,
  change: (text: string) => string,
): MeshSession {
  const { head, lines } = sessionOf(name);
  let left = count;
  const changed = lines.map((line) =>
    line.dir === dir && left-- === 0 ? { ...line, message: change(line.message!) } : line,
  );
  expect(changed, "something was planted").not.deep.equal(lines);
  return { head, lines: changed };
}

describe("sessions of painlessMesh", () => {
  it("are sixteen, and all are equal for node and gateway", () => {
    const names = meshSessionNames(vectorFolder);
    expect(names).length(16);
    for (const name of names) {
      for (const { file, cases, different, first } of check(sessionOf(name))) {
        expect(first, file).equal(undefined);
        expect(different, file).equal(0);
        expect(cases, file).at.least(4);
      }
    }
  });

  it("name what differs on purpose, and why", () => {
    const onPurpose = meshSessionNames(vectorFolder).flatMap((name) =>
      check(sessionOf(name)).flatMap((report) => report.onPurpose.map(() => report.file)),
    );
    expect(onPurpose).deep.equal([
      "mesh/broadcast-gap as node",
      "mesh/broadcast-gap as gateway",
      "mesh/duplicate-part as gateway",
      "mesh/lost-part as gateway",
      "mesh/stray-parts as gateway",
    ]);
  });

  const PLANTED: readonly (readonly [string, "sent" | "received", number, string, string])[] = [
    ["ok", "received", 4, '"broadcasted":false,"dest"', '"dest"'],
    ["ok", "received", 5, '"partNo":1', '"partNo":2'],
    ["ok", "received", 1, '"type":5', '"type":6'],
    ["ok", "received", 2, '"type":1', '"type":0'],
    ["ok-exact-multiple", "sent", 0, ',"root":true', ""],
    ["ok", "sent", 3, '"t2":', '"t3":'],
    ["ok", "sent", 5, '"data":"P', '"data":"Q'],
    ["same-md5-forced", "sent", 5, ',"forced":true', ""],
    ["compressed-flag", "received", 4, ',"compressed":true', ""],
    ["broadcast", "sent", 6, '"routing":2', '"routing":1'],
  ];
  for (const [name, dir, count, from, to] of PLANTED) {
    it(`differ when message ${count} that was ${dir} in ${name} has ${to || "nothing"} for ${from}`, () => {
      const [node, gateway] = check(altered(name, dir, count, (text) => text.replace(from, to)));
      const report = dir === "received" ? node : gateway;
      expect(report.different).at.least(1);
      expect(report.first?.at).match(/^message \d+$/);
    });
  }

  it("differ when a message comes 100 ms earlier or is missing", () => {
    const { head, lines } = sessionOf("lost-part");
    const isAgain = (index: number) => lines[index]!.dir === "received" && lines[index]!.t > 40_000;
    const at = lines.findIndex((_, index) => isAgain(index));
    const early = lines.map((line, index) => (index === at ? { ...line, t: line.t - 100 } : line));
    expect(check({ head, lines: early })[0].different).equal(1);
    const without = lines.filter((_, index) => index !== at);
    expect(check({ head, lines: without })[0].different).at.least(1);
  });

  it("differ when the node does another step, or one less", () => {
    const { head, lines } = sessionOf("wrong-md5");
    const refused = lines.findIndex(({ event }) => event === "update-end");
    const accepted = lines.map((line, index) =>
      index === refused ? { ...line, detail: line.detail!.replace(/refused.*/, "accepted") } : line,
    );
    expect(check({ head, lines: accepted })[0].first?.at).match(/^step/);
    expect(check({ head, lines: lines.filter((_, index) => index !== refused) })[0].different).at.least(1);
  });
});
