// Whole updates through whatever stands between a device and its server. Kind: an answer that is allowed is taken, whatever it looks like, and
// wherever it leads; one of somebody else counts for nothing.

import { expect } from "chai";
import type { HttpRequest } from "../../host-sim/network/http-host.js";
import { HOUR_MS, isCheck, isDigests, isDownload, isImage, noUpdate, Odyssey, raw } from "./odyssey.js";
import { STYLES } from "./styles.js";

const OTHER_HOST = "other.skyslot.test";

describe("through unusual answers", () => {
  const odyssey = new Odyssey();
  afterEach(() => odyssey.close());

  for (const [what, style] of Object.entries(STYLES)) {
    it(`a device updates itself: ${what}`, async () => {
      await odyssey.start(async (_, honest) => raw(style(await honest())));
      await odyssey.expectUpdated();
      odyssey.expectNoFailure();
    });

    it(`checks are answered byte by byte: ${what}`, async () => {
      await odyssey.start(
        async (request, honest) => raw(style(await (isCheck(request) ? noUpdate() : honest()))),
        {
          policyOf: () => ({ pieceBytesMax: 1 }),
        },
      );
      await odyssey.until(() => odyssey.rig.checks.length === 3);
      await odyssey.rig.desk.world.runFor(20_000);
      expect(odyssey.rig.trace.join("\n")).not.include("check failed");
      expect(odyssey.restarts).deep.equal([]);
    });
  }

  // Kind: the server, or a file, is elsewhere now.
  for (const status of [301, 302, 307, 308])
    it(`checks are redirected, and downloads to another host, without the token: ${status}`, async () => {
      const elsewhere: HttpRequest[] = [];
      const moved: HttpRequest[] = [];
      await odyssey.start(async (request, honest) => {
        if (isCheck(request)) return { status, headers: { location: "/moved/check?x=1" } };
        if (isDownload(request))
          return { status, headers: { location: `http://${OTHER_HOST}${request.path}` } };
        if (request.path !== "/moved/check?x=1") return honest();
        moved.push(request);
        return odyssey.rig.server.handle({ ...request, path: "/api/ota/check" });
      });
      const host = odyssey.rig.desk.network.addHost(OTHER_HOST, "203.0.113.12");
      odyssey.rig.desk.network.serveHttp(host, 80, async (request) => {
        elsewhere.push(request);
        return odyssey.rig.server.handle(request);
      });
      await odyssey.expectUpdated();
      expect(moved.every(({ method, body }) => method === "POST" && body.length > 100)).equal(true);
      expect(moved.at(-1)?.headers.authorization, "its own server").match(/^Bearer /);
      expect(elsewhere.filter(isDigests)).length(1);
      expect(elsewhere.filter(isImage).map(({ method }) => method)).deep.equal(["GET"]);
      expect(elsewhere.flatMap(({ headers }) => headers.authorization ?? [])).deep.equal([]);
    });

  it("a check that is redirected to another host takes no token there", async () => {
    const elsewhere: HttpRequest[] = [];
    let isMoved = false;
    await odyssey.start(async (request, honest) =>
      isCheck(request) && isMoved
        ? { status: 307, headers: { location: `http://${OTHER_HOST}/` } }
        : isCheck(request)
          ? noUpdate({ device_token: "skd_1" })
          : honest(),
    );
    const host = odyssey.rig.desk.network.addHost(OTHER_HOST, "203.0.113.12");
    odyssey.rig.desk.network.serveHttp(host, 80, async (request) => {
      elsewhere.push(request);
      return noUpdate();
    });
    await odyssey.until(() => odyssey.rig.checks.length === 2);
    isMoved = true;
    await odyssey.until(() => elsewhere.length === 2);
    expect(elsewhere.map(({ method }) => method)).deep.equal(["POST", "POST"]);
    expect(elsewhere.map(({ headers }) => headers.authorization)).deep.equal([undefined, undefined]);
  });

  it("redirects in a circle, to nowhere or after 303 fail the check, and the next one comes", async () => {
    const answers = [
      "/api/ota/check",
      "ftp://updates.skyslot.test/",
      "http://",
      "//",
      "http://no-such-host.test/",
    ];
    let count = 0;
    await odyssey.start(async (request, honest) => {
      if (!isCheck(request)) return honest();
      const location = answers[count++ % answers.length]!;
      return { status: count % 2 === 0 ? 303 : 302, headers: { location } };
    });
    await odyssey.rig.desk.world.runFor(HOUR_MS / 2);
    expect(count).above(12);
    expect(odyssey.restarts).deep.equal([]);
  });

  // Kind: a captive network answers for everyone.
  const LOGIN = new TextEncoder().encode("<html>Please log in</html>");
  for (const [what, answer] of [
    ["a page", { status: 200, headers: { "content-type": "text/html" }, body: LOGIN }],
    ["a redirect to its page", { status: 302, headers: { location: "http://login.skyslot.test/" } }],
    ["511", { status: 511, headers: { "content-type": "text/html" }, body: LOGIN }],
    ["403", { status: 403, headers: { "content-type": "text/html" }, body: LOGIN }],
  ] as const)
    it(`a report that a captive network answers with ${what} is not lost`, async () => {
      let isCaptive = false;
      await odyssey.start(async (_, honest) => (isCaptive ? answer : honest()));
      const login = odyssey.rig.desk.network.addHost("login.skyslot.test", "203.0.113.13");
      odyssey.rig.desk.network.serveHttp(login, 80, async () => ({
        status: 200,
        headers: { "content-type": "text/html" },
        body: LOGIN,
      }));
      await odyssey.until(() => odyssey.rig.checks.at(-1)?.current_version === "1.1.0");
      isCaptive = true;
      await odyssey.until(() => odyssey.hasReported("success"));
      await odyssey.rig.desk.world.runFor(3_000);
      isCaptive = false;
      odyssey.rig.reports.length = 0; // those were the captive network's
      await odyssey.expectUpdated();
      await odyssey.rig.desk.world.runFor(5_000);
      const [update] = await odyssey.rig.server.updates();
      expect(update).include({ status: "success" });
    });
});
