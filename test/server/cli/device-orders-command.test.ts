import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Order } from "../../../firmware/core/wire.js";
import { redirectOutput, UsageError } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { readSettingValue } from "../../../server/shared/setting-values.js";
import { type RunningServer, startServer } from "../../../server/start.js";

describe("skyslot device, its orders", () => {
  let folder: string;
  let server: RunningServer;
  let exitCode: typeof process.exitCode;
  const tokens = new Map<string, string>();
  before(async () => {
    exitCode = process.exitCode;
    folder = await mkdtemp(join(tmpdir(), "skyslot-cli-orders-"));
    server = await startServer({ dataDir: folder, port: 0 });
    for (const id of ["d1", "d2"]) {
      tokens.set(id, (await check(id, { keeps_token: true })).device_token ?? "");
      await check(id);
    }
    await check("old");
  });
  after(async () => {
    process.exitCode = exitCode;
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function check(
    device_id: string,
    more: object = {},
  ): Promise<{ readonly device_token?: string; readonly orders?: readonly Order[] }> {
    const body = { device_id, device_type: "base", current_version: "1.0.0", current_build: 0, ...more };
    const token = tokens.get(device_id);
    const answer = await fetch(`${server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
    });
    expect(answer.status).to.equal(200);
    return (await answer.json()) as object;
  }
  /** The command's output and exit status. */
  const skyslot = async (...args: string[]): Promise<{ readonly out: string; readonly status: unknown }> => {
    let out = "";
    process.exitCode = 0;
    const putBack = redirectOutput((text) => {
      out += text;
    });
    const own = ["device", ...args, "--server", server.url, "--data", folder];
    try {
      await createProgram().parseAsync(own, { from: "user" });
    } finally {
      putBack();
    }
    return { out, status: process.exitCode };
  };
  const json = async (...args: string[]) => JSON.parse((await skyslot(...args, "--json")).out);
  const failure = (...args: string[]): Promise<Error> =>
    skyslot(...args).then(
      ({ out }) => new Error(`no failure: ${out}`),
      (error: Error) => error,
    );

  it("are created, listed with their results, and cancelled", async () => {
    expect((await skyslot("orders", "d1")).out).to.equal("no orders for d1\n");
    const given = await skyslot("identify", "d1");
    expect(given.out).to.match(/^d1: order \d{10} waits for its next check\n$/);
    const { id } = await json("identify", "d2");
    expect((await skyslot("orders", "d2")).out).to.match(/^ORDER .*\n\d{10} +identify +\S.*waits for/);
    await check("d2");
    expect((await skyslot("orders", "d2")).out).to.match(/sent, not done yet/);
    await check("d2", { order_results: [{ id, result: "refused", reason: "no light" }] });
    expect((await skyslot("orders", "d2")).out).to.match(/refused: no light/);
    const [first] = (await json("orders", "d1")).orders;
    expect((await skyslot("withdraw", "d1", `${first.id}`)).out).to.equal(
      `order ${first.id} of d1 is withdrawn\n`,
    );
    expect((await failure("withdraw", "d1", `${first.id}`)).message).to.match(/409 ORDER_ENDED/);
    expect((await failure("identify", "old")).message).to.match(
      /409 DEVICE_HAS_NO_TOKEN: device old has shown/,
    );
    expect((await check("d1")).orders).to.equal(undefined);
  });

  it("to several devices are reported one by one, with status 1 if one failed", async () => {
    const { out, status } = await skyslot("restart", "d1", "old", "d2");
    expect(out).to.match(
      /^d1: order \d+ waits.*\nold: device old has shown no token.*\nd2: order \d+ waits.*\n$/,
    );
    expect(status).to.equal(1);
    expect((await check("d1")).orders?.map(({ kind }) => kind)).to.deep.equal(["restart"]);
    const settings = ["brightness=40", "pattern=rainbow", 'deviceName="7"', "d1", "d2"];
    const given = await json("settings", ...settings);
    expect([given.ordered, given.failed]).to.deep.equal([2, 0]);
    expect((await check("d2")).orders?.[1]).to.deep.include({
      kind: "settings",
      settings: { brightness: 40, pattern: "rainbow", deviceName: "7" },
    });
  });

  it("to all that a filter finds are created after a confirmation, and counted by result", async () => {
    const unasked = await failure("settings", "speed=7", "--type", "base");
    expect(unasked)
      .instanceOf(UsageError)
      .property("message")
      .match(/there are 3 devices, use --yes/);
    const { out, status } = await skyslot("settings", "speed=7", "--type", "base", "--yes");
    expect(out).to.match(
      /^change settings: 2 devices, 1 unchanged\n {2}1 DEVICE_HAS_NO_TOKEN, such as: device old has shown/,
    );
    expect(status).to.equal(1);
    expect(await json("settings", "speed=8", "--search", "D1", "--yes")).to.deep.equal({
      done: 1,
      refused: 0,
      refusals: [],
    });
    expect((await failure("restart", "--tag", "nobody", "--yes")).message).to.equal("no device matches");
    expect((await skyslot("tag", "--all", "--yes", "--add", "lab")).out).to.equal(
      "change labels: 3 devices\n",
    );
    expect((await skyslot("list", "--tag", "lab")).out).to.match(/^old +base/m);
  });

  it("that are invalid are refused with the reason", async () => {
    expect(await failure("settings", "d1"))
      .instanceOf(UsageError)
      .property("message")
      .match(/such as brightness=40/);
    expect(await failure("settings", "a=1"))
      .instanceOf(UsageError)
      .property("message")
      .match(/^no devices given/);
    expect(await failure("restart", "d1", "--all")).instanceOf(UsageError);
    expect(await failure("restart")).instanceOf(UsageError);
    expect(await failure("withdraw", "d1", "x")).instanceOf(UsageError);
    expect((await failure("settings", "d1", "server=http://evil.test")).message).match(
      /422 SETTING_IS_OWNERS/,
    );
    expect((await failure("settings", "d1", "=1")).message).match(/400/);
  });

  it("accept values as people write them", () => {
    const read = [
      "7",
      "-7",
      '"7"',
      "7.5",
      "true",
      '"true"',
      "True",
      "7.",
      "",
      '""',
      "#ff8800",
      '"',
      "0x7",
      "1234567890123456",
    ].map(readSettingValue);
    expect(read).to.deep.equal([
      7,
      -7,
      "7",
      7.5,
      true,
      "true",
      "True",
      "7.",
      "",
      "",
      "#ff8800",
      '"',
      "0x7",
      "1234567890123456",
    ]);
  });
});
