import { expect } from "chai";
import { readTarget, requireAllowed, TargetRefused } from "../../../../server/events/webhooks/target.js";

describe("where webhooks may go", () => {
  it("is never a cloud metadata address, however it is written", () => {
    for (const host of [
      "169.254.169.254",
      "169.254.0.1",
      "0xa9fea9fe",
      "2852039166",
      "0251.0376.0251.0376",
      "[::ffff:169.254.169.254]",
      "[::ffff:a9fe:a9fe]",
      "[::a9fe:a9fe]",
      "[64:ff9b::a9fe:a9fe]",
      "[64:ff9b:1::a9fe:a9fe]",
      "[2002:a9fe:a9fe::1]",
      "[fe80::1]",
      "[fd00:ec2::254]",
      "[fd20:ce::254]",
      "100.100.100.200",
      "168.63.129.16",
      "192.0.0.192",
      "0.0.0.0",
      "0",
      "[::]",
      "224.0.0.1",
      "255.255.255.255",
      "[ff02::1]",
    ])
      expect(() => readTarget(`http://${host}/latest`), host).to.throw(TargetRefused);
  });

  it("is never a name that resolves to such an address", () => {
    for (const address of ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1"])
      expect(() => requireAllowed(address), address).to.throw(TargetRefused);
  });

  it("is an HTTP URL, without a password in it", () => {
    for (const url of [
      "file:///etc/passwd",
      "gopher://a/",
      "ftp://a/",
      "javascript:1",
      "//a/",
      "http://a:b@c/",
    ])
      expect(() => readTarget(url), url).to.throw(TargetRefused);
  });

  it("may be on this machine, in its network, or anywhere else", () => {
    for (const host of [
      "127.0.0.1",
      "localhost",
      "[::1]",
      "10.0.0.7",
      "192.168.1.7",
      "[fd12::7]",
      "[2001:db8::7]",
      "[64:ff9b::c000:207]",
      "a.example",
    ])
      expect(readTarget(`http://${host}/hook`), host).to.contain("/hook");
  });
});
