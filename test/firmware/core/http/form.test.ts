// Forms as browsers send them, and as attackers do.

import { expect } from "chai";
import { MAX_FIELD_COUNT, MAX_FORM_CHARACTERS, parseForm } from "../../../../firmware/core/http/form.js";

function fields(body: string): Record<string, string> {
  const form = parseForm(body);
  if (!form.ok) throw new Error(`${form.failure.code}: ${form.failure.message}`);
  return Object.fromEntries(form.value);
}

function codeOf(body: string): string | undefined {
  const form = parseForm(body);
  return form.ok ? undefined : form.failure.code;
}

describe("parsing a form", () => {
  it("reads what a browser's own encoder writes, for every character that people put into names and passwords", () => {
    for (const text of ["a+b=c%d#e&f g", "Café Ünïcode 😀", "\"'<>\\`", "%2B", "   ", "x".repeat(63)]) {
      const body = new URLSearchParams({ ssid: text, password: `${text}!` }).toString();
      expect(fields(body), body).to.deep.equal({ ssid: text, password: `${text}!` });
    }
  });

  it("takes + for a space and %2B for a plus", () => {
    expect(fields("a=1+2%2B3")).to.deep.equal({ a: "1 2+3" });
  });

  it("splits at the first = and takes hex digits of both cases", () => {
    expect(fields("a=b=c&d=%c3%A9")).to.deep.equal({ a: "b=c", d: "é" });
  });

  it("takes a name without = for an empty value, and skips empty pieces", () => {
    expect(fields("&&a&b=&")).to.deep.equal({ a: "", b: "" });
    expect(fields("")).to.deep.equal({});
  });

  it("keeps unescaped characters", () => {
    expect(fields("ssid=Zürich")).to.deep.equal({ ssid: "Zürich" });
  });

  for (const body of [
    "a=%",
    "a=%4",
    "a=%zz",
    "a=%4&b=1",
    "%g0=1",
    "a=%ff",
    "a=%c3",
    "a=%c0%80",
    "a=%ed%a0%80",
    "a=1&a=2",
  ]) {
    it(`refuses ${body} instead of guessing`, () => {
      expect(codeOf(body)).to.equal("FORM_MALFORMED");
    });
  }

  it("refuses more bytes and more fields than it has room for", () => {
    expect(codeOf(`a=${"x".repeat(MAX_FORM_CHARACTERS)}`)).to.equal("FORM_TOO_LARGE");
    const many = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=1`).join("&");
    expect(codeOf(many(MAX_FIELD_COUNT))).to.equal(undefined);
    expect(codeOf(many(MAX_FIELD_COUNT + 1))).to.equal("FORM_TOO_LARGE");
  });

  it("is not confused by names of inherited properties", () => {
    const form = parseForm("__proto__=1&constructor=2");
    expect(form.ok && form.value.get("__proto__")).to.equal("1");
  });
});
