import { createHmac } from "node:crypto";
import { expect } from "chai";
import { isSubscribed } from "../../../../server/events/webhooks/queue.js";
import { delayAfter, MAX_ATTEMPT_COUNT, retryDelays } from "../../../../server/events/webhooks/schedule.js";
import { signMessage } from "../../../../server/events/webhooks/signature.js";
import { readTarget, requireAllowed, TargetRefused } from "../../../../server/events/webhooks/target.js";

describe("the signature of a webhook", () => {
  it("follows Standard Webhooks", () => {
    const key = Buffer.from("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "base64");
    const expected = createHmac("sha256", key).update("m1.1700000000.{}").digest("base64");
    expect(
      signMessage("whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "m1", 1_700_000_000_000, "{}"),
    ).to.deep.equal({
      "webhook-id": "m1",
      "webhook-timestamp": "1700000000",
      "webhook-signature": `v1,${expected}`,
    });
  });
});

describe("the schedule of retries", () => {
  it("doubles, up to six hours, for about a day", () => {
    const delays = [...retryDelays(() => 0.5)];
    expect(delays).to.have.length(MAX_ATTEMPT_COUNT - 1);
    expect(delays.slice(0, 4)).to.deep.equal([5000, 10_000, 20_000, 40_000]);
    expect(Math.max(...delays)).to.equal(6 * 3_600_000);
    const hours = delays.reduce((sum, delay) => sum + delay) / 3_600_000;
    expect(hours).to.be.within(20, 30);
  });

  it("has a jitter of a quarter to either side", () => {
    expect(delayAfter(1, () => 0)).to.equal(3750);
    expect(delayAfter(1, () => 0.999_999)).to.equal(6250);
    expect(delayAfter(3, () => 0.5)).to.equal(20_000);
    expect(delayAfter(MAX_ATTEMPT_COUNT, () => 0.5)).to.equal(undefined);
  });
});

describe("the target of a webhook", () => {
  it("is an HTTP URL without a user in it", () => {
    expect(readTarget("https://Example.com/a?b=c#d")).to.equal("https://example.com/a?b=c");
    expect(readTarget("http://192.168.1.5:8123/api/webhook/x")).to.equal(
      "http://192.168.1.5:8123/api/webhook/x",
    );
    for (const url of ["", "x", "ftp://a/", "file:///etc/passwd", "gopher://a", "https://user:word@a/"])
      expect(() => readTarget(url), url).to.throw(TargetRefused);
  });

  it("is never a cloud metadata address, however it is written", () => {
    for (const host of [
      "169.254.169.254",
      "2852039166",
      "0xa9.0xfe.0xa9.0xfe",
      "0.0.0.0",
      "255.255.255.255",
      "[fe80::1]",
      "[::]",
      "[::ffff:169.254.169.254]",
      "[fd00:ec2::254]",
    ])
      expect(() => readTarget(`http://${host}/`), host).to.throw(TargetRefused);
    expect(() => requireAllowed("169.254.1.1")).to.throw(TargetRefused, "169.254.1.1");
    requireAllowed("127.0.0.1");
    requireAllowed("2001:db8::1");
  });
});

describe("the events of a webhook", () => {
  it("are kinds, prefixes or all", () => {
    expect(isSubscribed({ events: ["update.failed"] }, "update.failed")).to.equal(true);
    expect(isSubscribed({ events: ["update.failed"] }, "update.failed.twice")).to.equal(false);
    expect(isSubscribed({ events: ["device.*", "update.*"] }, "update.failed")).to.equal(true);
    expect(isSubscribed({ events: ["update.*"] }, "updates")).to.equal(false);
    expect(isSubscribed({ events: ["*"] }, "anything")).to.equal(true);
  });
});
