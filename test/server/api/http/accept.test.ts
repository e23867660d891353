import { expect } from "chai";
import Fastify from "fastify";
import { answerErrors } from "../../../../server/api/errors.js";
import { prefersHtml } from "../../../../server/api/http/accept.js";
import { notFoundPageAt } from "../../../../server/dashboard/page.js";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

describe("what a client would rather have", () => {
  it("is HTML if it names that, and does not prefer JSON", () => {
    for (const accept of [
      BROWSER,
      "text/html",
      "Text/HTML; q=0.5",
      "application/json;q=0.4, text/html",
      "a/b, text/html;level=1",
    ])
      expect(prefersHtml(accept), accept).equal(true);
    for (const accept of [
      undefined,
      "",
      "*/*",
      "text/*",
      "application/json",
      "text/html;q=0",
      "text/html;q=x",
      "text/html;q=0.2, application/json",
    ])
      expect(prefersHtml(accept), accept).equal(false);
  });
});

describe("a path that does not exist", () => {
  const ask = async (url: string, accept?: string) => {
    const app = Fastify();
    answerErrors(app, { notFoundPage: notFoundPageAt("/ota") });
    return app.inject({ url, headers: accept === undefined ? {} : { accept } });
  };

  it("is a page in a browser, with a way out and without its text as markup", async () => {
    const answer = await ask("/no&such?secret=1", BROWSER);
    expect(answer.statusCode).equal(404);
    expect(answer.headers["content-type"]).equal("text/html; charset=utf-8");
    expect(answer.headers["content-security-policy"]).contain("default-src 'none'");
    expect(answer.body).match(/<h1>Page not found<\/h1>\n<p>There is nothing at <code>\/no&amp;such<\/code>/);
    expect(notFoundPageAt("")("/<b>")).contain("<code>/&lt;b&gt;</code>");
    expect(answer.body).contain('<a href="/ota/">').and.contain('href="/ota/dashboard/client.css"');
    expect(answer.body).not.contain("secret");
    expect((await ask(`/${"x".repeat(3000)}`, BROWSER)).body.length).below(2000);
  });

  it("is JSON for everybody else", async () => {
    for (const accept of [undefined, "*/*", "application/json"])
      expect((await ask("/api/nothing", accept)).json()).deep.equal({
        error: "NOT_FOUND",
        message: "there is no GET /api/nothing",
      });
  });
});
