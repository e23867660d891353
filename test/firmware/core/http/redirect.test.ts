// Redirects of servers, file stores and captive networks: followed where the same request makes sense there, at most three times, and without
// the token where it does not belong.

import { expect } from "chai";
import type { HttpRequest } from "../../../../firmware/core/effect.js";
import { followRedirect } from "../../../../firmware/core/http/redirect.js";
import { requestHead } from "../../../../firmware/core/http/request-text.js";

const GET: HttpRequest = {
  method: "GET",
  url: "http://updates.test/api/files/7?x=1",
  headers: { authorization: "Bearer skd_1", range: "bytes=0-99" },
};
const POST: HttpRequest = {
  method: "POST",
  url: "http://updates.test/api/ota/check",
  headers: { authorization: "Bearer skd_1", "content-type": "application/json" },
  body: '{"name":"ü"}',
};

const redirected = (request: HttpRequest, status: number, location: string, count = 0, more = {}) =>
  followRedirect(request, { status, headers: { location, ...more } }, count);
const urlOf = (found: ReturnType<typeof redirected>) =>
  found?.ok ? found.value.url : found?.failure.message;

describe("a redirect", () => {
  it("of a GET is followed with the same headers, to an absolute or a relative address", () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const found = redirected(GET, status, "/other");
      expect(found, `${status}`).deep.equal({
        ok: true,
        value: { ...GET, url: "http://updates.test/other" },
      });
    }
    for (const [location, url] of [
      ["http://updates.test/b", "http://updates.test/b"],
      ["//updates.test/b", "http://updates.test/b"],
      ["8", "http://updates.test/api/files/8"],
      ["../8?y=2#part", "http://updates.test/api/8?y=2"],
      ["?x=2", "http://updates.test/api/files/7?x=2"],
      ["HTTP://Updates.TEST/b", "http://updates.test/b"],
    ] as const)
      expect(urlOf(redirected(GET, 302, location)), location).equal(url);
  });

  it("of a POST stays a POST with its body, also after 301 and 302; after 303 it is not followed", () => {
    for (const status of [301, 302, 307, 308])
      expect(redirected(POST, status, "/b")).deep.equal({
        ok: true,
        value: { ...POST, url: "http://updates.test/b" },
      });
    expect(redirected(POST, 303, "/b")).equal(undefined);
  });

  it("takes the token to no other host, port or name of the same host", () => {
    for (const location of [
      "http://other.test/",
      "http://updates.test:8080/",
      "http://updates.test.other.test/",
      "//sub.updates.test/",
      "http://203.0.113.7/",
    ]) {
      const found = redirected(GET, 307, location);
      expect(found?.ok && found.value.headers, location).deep.equal({ range: "bytes=0-99" });
      const back = found?.ok ? redirected(found.value, 307, "http://updates.test/b") : undefined;
      expect(back?.ok && back.value.headers, "nor back").deep.equal({ range: "bytes=0-99" });
    }
    expect(redirected(GET, 307, "http://updates.test:80/b")).nested.property("value.headers.authorization");
  });

  it("from http to https is followed without the token, and from https to http not at all", () => {
    const found = redirected(GET, 302, "https://updates.test/b");
    expect(found?.ok && found.value).deep.equal({
      ...GET,
      url: "https://updates.test/b",
      headers: { range: "bytes=0-99" },
    });
    const secure = { ...GET, url: "https://updates.test/a" };
    expect(redirected(secure, 302, "/b")).nested.property("value.headers.authorization");
    for (const location of ["http://updates.test/b", "http://updates.test:443/b", "http://cdn.test/b"])
      expect(urlOf(redirected(secure, 302, location)), location).match(
        /^redirects from https:\/\/ to http:\/\//,
      );
  });

  it("is followed three times", () => {
    for (const count of [0, 1, 2]) expect(redirected(GET, 302, "/b", count)?.ok).equal(true);
    expect(urlOf(redirected(GET, 302, "/b", 3))).equal("redirects more than 3 times");
  });

  for (const location of [
    "https://updates.test:0/b",
    "ftp://updates.test/b",
    "http://",
    "http://user:pass@updates.test/",
    "http://[::1]/",
    "http://updates.test:0/",
    "http://updates.test:65536/",
    "http://updates.test:8o/",
    "http://upd ates.test/",
    "/a b",
    "/\u00fc",
    `/${"a".repeat(3_000)}`,
    "javascript:alert(1)",
    "http://0.0.0.0/",
  ])
    it(`to "${location.slice(0, 30)}" ends the request in a sentence`, () => {
      const found = redirected(GET, 302, location);
      expect(found?.ok).equal(false);
      expect(urlOf(found)).match(/^redirects to an unusable address\. The address .*\.$/);
    });

  it("without a target, with another status, or to be followed later, is no redirect", () => {
    expect(followRedirect(GET, { status: 302, headers: {} }, 0)).equal(undefined);
    expect(redirected(GET, 302, "")).equal(undefined);
    for (const status of [200, 201, 206, 300, 304, 305, 306, 309, 404])
      expect(redirected(GET, status, "/b"), `${status}`).equal(undefined);
    expect(redirected(GET, 302, "/b", 0, { "retry-after": "60" })).equal(undefined);
    expect(redirected(GET, 302, "/b", 0, { "retry-after": "0" })?.ok).equal(true);
  });
});

describe("a request", () => {
  it("names its host, with a port that is not the usual one, and the bytes of its body", () => {
    const address = { isSecure: false, host: "updates.test", port: 80, path: "/a?b" };
    expect(requestHead(POST, address)).equal(
      "POST /a?b HTTP/1.1\r\nhost: updates.test\r\nauthorization: Bearer skd_1\r\ncontent-type: application/json\r\ncontent-length: 13\r\nconnection: close\r\n\r\n",
    );
    const other = requestHead({ method: "GET", url: "", headers: {} }, { ...address, port: 8080 });
    expect(other).equal("GET /a?b HTTP/1.1\r\nhost: updates.test:8080\r\nconnection: close\r\n\r\n");
  });
});
