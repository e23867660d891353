// The kind: an address that comes from outside (a person, a server, the flash, a build) and that the network modules cannot use. They
// throw on it, or ask the wrong host; so it is judged where it comes in.

import { expect } from "chai";
import {
  addressText,
  MAX_ADDRESS_LENGTH,
  originOf,
  readAddress,
  resolveAddress,
} from "../../../../firmware/core/http/address.js";

const GOOD: readonly (readonly [string, string, number, string])[] = [
  ["http://updates.local", "updates.local", 80, "/"],
  ["http://updates.local/", "updates.local", 80, "/"],
  ["HTTP://Updates.LOCAL:8080/A?b=C", "updates.local", 8080, "/A?b=C"],
  ["http://10.0.0.2:1/x", "10.0.0.2", 1, "/x"],
  ["http://223.255.255.255:65535", "223.255.255.255", 65535, "/"],
  ["http://host?x=1", "host", 80, "/?x=1"],
  ["http://a_b-c.x1/%20/@:[]!$&'()*+,;=~", "a_b-c.x1", 80, "/%20/@:[]!$&'()*+,;=~"],
  ["http://xn--mnchen-3ya.de:00080/", "xn--mnchen-3ya.de", 80, "/"],
  [`http://${"a".repeat(63)}/`, "a".repeat(63), 80, "/"],
  ["http://1.2.3.4.example/", "1.2.3.4.example", 80, "/"],
  ["HTTPS://updates.local", "updates.local", 443, "/"],
  ["https://updates.local:80/x", "updates.local", 80, "/x"],
];

const BAD: readonly (readonly [string, string])[] = [
  ["", "is empty"],
  ["ftp://x/y", "begins with ftp: but this firmware supports http:// and https:// only"],
  ["https:", "does not begin with http:// or https://"],
  ["https://", "has no host"],
  ["https://host:0/", 'has port "0"'],
  ["javascript:alert(1)", "begins with javascript:"],
  ["http:", "does not begin with http://"],
  ["http:/host/x", "does not begin with http://"],
  ["http://", "has no host"],
  ["http:///path", "has no host"],
  ["http://:8080/", "has no host"],
  ["http://?x", "has no host"],
  ["/firmware/1", "does not begin with http://"],
  ["firmware/1", "does not begin with http://"],
  ["//host/x", "does not begin with http://"],
  ["updates.example.com", "does not begin with http://"],
  ["://host", "does not begin with http://"],
  ["10.0.0.2:8080", "does not begin with http://"],
  ["updates.local:8080/x", "does not begin with http://"],
  ["?x", "does not begin with http://"],
  ["http://host:0/", 'has port "0"'],
  ["http://host:65536/", 'has port "65536"'],
  ["http://host:/", 'has port ""'],
  ["http://host:-1/", 'has port "-1"'],
  ["http://host:8O80/", 'has port "8O80"'],
  ["http://host:1e3/", 'has port "1e3"'],
  ["http://host:80:80/", 'has port "80:80"'],
  [`http://host:${"9".repeat(400)}/`, "999…"],
  ["http://user:password@host/", "contains a user name"],
  ["http://user@host/", "contains a user name"],
  ["http://[::1]:8080/", "IPv6"],
  ["http://[fe80::1%25eth0]/", "IPv6"],
  ["http://::1/", "has no host"],
  ["http://host name/", "contains a space at position 12"],
  [" http://host/", "contains a space at position 1"],
  ["http://host/a b", "contains a space"],
  ["http://host/\r\nx: y", "contains a control character"],
  ["http://host/\0", "contains a control character"],
  ["http://host/\x7f", "contains a control character"],
  ["http://münchen.de/", "has to be encoded"],
  ["http://host/日本", "has to be encoded"],
  ["http://host/\u{1f600}", "has to be encoded"],
  ["http://host/\ud800", "has to be encoded"],
  ["http://host/x#y", "contains a fragment"],
  ["http://host\\path/", "other characters than letters"],
  ["http://ho%20st/", "other characters than letters"],
  ["http://*.example/", "other characters than letters"],
  ["http://a..b/", "an empty part"],
  ["http://.b/", "an empty part"],
  ["http://b./", "an empty part"],
  [`http://${"a".repeat(64)}/`, "a part of 64 characters"],
  [`http://${`${"a".repeat(62)}.`.repeat(4)}aa/`, "a host of 254 characters"],
  ["http://256.1.1.1/", "no IPv4 address"],
  ["http://1.2.3/", "no IPv4 address"],
  ["http://1.2.3.4.5/", "no IPv4 address"],
  ["http://01.2.3.4/", "no IPv4 address"],
  ["http://2130706433/", "no IPv4 address"],
  ["http://0x7f000001/", "no IPv4 address"],
  ["http://127.0.0.0x1/", "no IPv4 address"],
  ["http://0.0.0.0/", "no IPv4 address"],
  ["http://255.255.255.255/", "no IPv4 address"],
  ["http://224.0.0.251/", "no IPv4 address"],
  [`http://host/${"x".repeat(MAX_ADDRESS_LENGTH)}`, `${MAX_ADDRESS_LENGTH} are allowed`],
  ["x".repeat(1_000_000), "has 1000000 characters"],
];

describe("an http or https address", () => {
  it("is read into what the client connects to and requests", () => {
    for (const [text, host, port, path] of GOOD)
      expect(readAddress(text), text).deep.equal({
        ok: true,
        value: { isSecure: /^https/i.test(text), host, port, path },
      });
  });

  it("that cannot be used is refused with a sentence that says why and does not repeat long texts", () => {
    for (const [text, part] of BAD) {
      const read = readAddress(text);
      if (read.ok) expect.fail(`${text} was taken`);
      expect(read.failure.message, text).include(part);
      expect(read.failure.message, text).match(/^The address [ -~…]{5,160}\.$/);
    }
  });

  it("is written so that reading it gives the same", () => {
    for (const [text] of GOOD) {
      const read = readAddress(text);
      if (!read.ok) return expect.fail(text);
      expect(readAddress(addressText(read.value))).deep.equal(read);
    }
  });

  it("has an origin that does not depend on how it is written", () => {
    expect(originOf("http://Host/x")).equal("http://host");
    expect(originOf("http://host:80")).equal("http://host");
    expect(originOf("http://host:8080/x")).equal("http://host:8080");
    for (const [text] of BAD) expect(originOf(text)).equal(undefined);
  });
});

describe("a reference in an answer", () => {
  const base = { isSecure: false, host: "host", port: 8080, path: "/a/b?q=1" };
  const RESOLVED: readonly (readonly [string, string])[] = [
    ["http://other/x", "http://other/x"],
    ["https://other/x", "https://other/x"],
    ["https://other:443/x", "https://other/x"],
    ["https://other:80/x", "https://other:80/x"],
    ["//other:81/x", "http://other:81/x"],
    ["/x?y", "http://host:8080/x?y"],
    ["c", "http://host:8080/a/c"],
    ["./c", "http://host:8080/a/c"],
    ["../c?d=/..", "http://host:8080/c?d=/.."],
    ["../../../c", "http://host:8080/c"],
    ["..", "http://host:8080/"],
    [".", "http://host:8080/a/"],
    ["?z", "http://host:8080/a/b?z"],
    ["", "http://host:8080/a/b?q=1"],
    ["/x#part", "http://host:8080/x"],
    ["#part", "http://host:8080/a/b?q=1"],
    ["/x:y", "http://host:8080/x:y"],
    ["./x:y", "http://host:8080/a/x:y"],
  ];

  it("is resolved against the address that gave it", () => {
    for (const [reference, expected] of RESOLVED) {
      const resolved = resolveAddress(reference, base);
      expect(resolved.ok && addressText(resolved.value), reference).equal(expected);
    }
  });

  it("that cannot be used is refused", () => {
    for (const reference of ["https://", "ftp:x", "//", "//u@h/", "/a b", "/ü", "x".repeat(3_000), "http:x"])
      expect(resolveAddress(reference, base).ok, reference.slice(0, 20)).equal(false);
  });

  it("without a path in its base counts from the root", () => {
    const resolved = resolveAddress("c", { isSecure: false, host: "host", port: 80, path: "/" });
    expect(resolved.ok && addressText(resolved.value)).equal("http://host/c");
  });
});
