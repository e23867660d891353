import { expect } from "chai";
import type { RequestHead } from "../../../../firmware/core/event.js";
import {
  MAX_BODY_BYTES,
  pageBodyBytes,
  pageRefusal,
  requestReceived,
} from "../../../../firmware/core/http/page-request.js";

const head = (headers: Readonly<Record<string, string>> = {}, method = "POST"): RequestHead => ({
  method,
  path: "/api/settings",
  headers,
});
const statusOf = (headers: Readonly<Record<string, string>>) => {
  const size = pageBodyBytes(head(headers));
  return size.ok ? size.value : pageRefusal(size.failure).status;
};

describe("a request for a page of the device", () => {
  it("has no body unless it says so", () => {
    expect(statusOf({})).equal(0);
    expect(statusOf({ "content-length": "0" })).equal(0);
  });

  it("has a body of at most 2 048 bytes", () => {
    expect(statusOf({ "content-length": `${MAX_BODY_BYTES}` })).equal(MAX_BODY_BYTES);
    expect(statusOf({ "content-length": `${MAX_BODY_BYTES + 1}` })).equal(413);
    expect(statusOf({ "content-length": "9999999999" })).equal(413);
  });

  it("must declare the length of its body, and send it as it is", () => {
    expect(statusOf({ "transfer-encoding": "chunked" })).equal(411);
    for (const coding of ["identity", "gzip", "gzip, chunked", ""])
      expect(statusOf({ "transfer-encoding": coding }), coding).equal(501);
  });

  it("has a method that HTTP knows", () => {
    for (const method of ["FOO", "get", "M-SEARCH", "PRI", "POSTS"]) {
      const size = pageBodyBytes(head({}, method));
      expect(size.ok || pageRefusal(size.failure).status, method).equal(501);
    }
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "CONNECT"])
      expect(pageBodyBytes(head({}, method)).ok, method).equal(true);
  });

  it("is refused in JSON, as the device's own API refuses", () => {
    expect(pageRefusal({ code: "HEAD_TOO_LONG", message: "m" })).deep.equal({
      status: 431,
      headers: { "content-type": "application/json" },
      body: '{"code":"HEAD_TOO_LONG","message":"m"}',
    });
    expect(pageRefusal({ code: "HEAD_MALFORMED", message: "m" }).status).equal(400);
  });

  it("becomes the event that the machines handle, HEAD as GET", () => {
    const headers = {
      host: "Base-1.local:80",
      origin: "http://base-1.local",
      "content-type": "application/json",
      authorization: "Bearer x",
    };
    expect(requestReceived(7, head(headers, "HEAD"), "{}", "192.168.1.9")).deep.equal({
      type: "requestReceived",
      connection: 7,
      method: "GET",
      path: "/api/settings",
      host: "base-1.local",
      origin: "http://base-1.local",
      contentType: "application/json",
      authorization: "Bearer x",
      address: "192.168.1.9",
      body: "{}",
    });
    expect(requestReceived(7, head(), "", undefined)).deep.include({
      method: "POST",
      host: "",
      origin: undefined,
    });
  });
});
