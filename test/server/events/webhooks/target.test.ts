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
      "[fd00:c1::a9fe:a9fe]",
      "169.254.169.254.",
      "169.254.43518",
      "①⑥⑨.254.169.254",
      "169%2E254.169.254",
      "[::ffff:0:169.254.169.254]",
      "[64:ff9b:1:a9fe:a9:fe00::]",
      "[2001:0:1:2:3:4:5601:5601]",
      "[2001:db8::5efe:169.254.169.254]",
      "[2001:db8::200:5efe:a9fe:a9fe]",
      "[fec0::1]",
      "[feff::1]",
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

  it("is never this machine or its network in the disguise of IPv6", () => {
    for (const host of [
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::ffff:10.0.0.7]",
      "[::ffff:192.168.1.7]",
      "[::127.0.0.1]",
      "[::10.0.0.7]",
      "[::2]",
      "[::ffff:0:127.0.0.1]",
      "[64:ff9b::127.0.0.1]",
      "[64:ff9b::a00:7]",
      "[64:ff9b::ac10:7]",
      "[64:ff9b::6440:7]",
      "[64:ff9b:1::192.168.1.7]",
      "[64:ff9b:1:c0a8:1:700::]",
      "[2002:7f00:1::1]",
      "[2002:a00:7::1]",
      "[2002:c0a8:107::1]",
      "[2001::7f00:1]",
      "[2001:db8::5efe:127.0.0.1]",
    ])
      expect(() => readTarget(`http://${host}/`), host).to.throw(TargetRefused);
  });

  it("is never a name that resolves to such an address", () => {
    for (const address of [
      "169.254.169.254",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "fe80::1",
      "fe80::1%eth0",
      "::ffff:127.0.0.1",
      "::127.0.0.1%lo",
      "fec0::1%2",
      "2002:a00:7::1",
      "",
      "localhost",
    ])
      expect(() => requireAllowed(address), address).to.throw(TargetRefused);
    for (const address of ["127.0.0.1", "::1", "10.0.0.7", "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"])
      expect(() => requireAllowed(address), address).not.to.throw();
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
