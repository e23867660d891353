// How long, and for how many keys, access to images is cached.

import { expect } from "chai";
import { ACCESS_CACHE_MS, AccessCache } from "../../../server/fast-path/access-cache.js";
import type { RegistrationPolicy, Store } from "../../../server/store/store.js";

const MAX_ENTRY_COUNT = 10_000;

function open() {
  const stage = {
    now: 0,
    tokens: "optional" as RegistrationPolicy["tokens"],
    asked: [] as string[],
    cache: undefined as unknown as AccessCache,
  };
  const store = {
    findPolicies: async ([deviceType = ""]: readonly string[]) => {
      stage.asked.push(deviceType);
      return [{ deviceType, registration: "open", tokens: stage.tokens }];
    },
    findType: async () => undefined,
  } as unknown as Store;
  stage.cache = new AccessCache({ store, now: () => stage.now });
  return stage;
}

describe("the access cache", () => {
  it("looks a policy up once in two seconds, for each type", async () => {
    const stage = open();
    expect(await stage.cache.isOpen("base")).to.equal(true);
    stage.tokens = "required";
    stage.now = ACCESS_CACHE_MS - 1;
    expect(await stage.cache.isOpen("base"), "remembered").to.equal(true);
    expect(await stage.cache.isOpen("led"), "another type").to.equal(false);
    stage.now = ACCESS_CACHE_MS;
    expect(await stage.cache.isOpen("base"), "changed").to.equal(false);
    expect(stage.asked).to.deep.equal(["base", "led", "base"]);
  });

  it("treats a device without a known type as one of any type", async () => {
    const stage = open();
    await stage.cache.isOpen(undefined);
    await stage.cache.isOpen("*");
    expect(stage.asked).to.deep.equal(["*"]);
  });

  it("expires when the clock is set back", async () => {
    const stage = open();
    stage.now = 1_000_000;
    await stage.cache.isOpen("base");
    stage.now = 0;
    await stage.cache.isOpen("base");
    expect(stage.asked).to.have.length(2);
  });

  it("checks an admission once in two seconds, for each key", async () => {
    const stage = open();
    let count = 0;
    const admit = (key: string) => stage.cache.admit(key, async () => void count++);
    await admit("one");
    await admit("one");
    expect(count).to.equal(1);
    await admit("two");
    expect(count).to.equal(2);
    stage.now = ACCESS_CACHE_MS;
    await admit("one");
    expect(count).to.equal(3);
  });

  it("caches no refusal", async () => {
    const stage = open();
    const refuse = () => stage.cache.admit("one", () => Promise.reject(new Error("refused")));
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await refuse().catch((error: Error) => error.message)).to.equal("refused");
    let isAsked = false;
    await stage.cache.admit("one", async () => {
      isAsked = true;
    });
    expect(isAsked).to.equal(true);
  });

  it("counts from the request, not from the answer", async () => {
    const stage = open();
    let count = 0;
    const slow = async () => {
      count++;
      stage.now += ACCESS_CACHE_MS;
    };
    await stage.cache.admit("one", slow);
    await stage.cache.admit("one", slow);
    expect(count).to.equal(2);
  });

  it("is emptied when it is full", async () => {
    const stage = open();
    let count = 0;
    const admit = (key: string) => stage.cache.admit(key, async () => void count++);
    for (let at = 0; at < MAX_ENTRY_COUNT; at++) await admit(`${at}`);
    await admit("0");
    expect(count, "full").to.equal(MAX_ENTRY_COUNT);
    await admit("one more");
    await admit("0");
    expect(count, "emptied").to.equal(MAX_ENTRY_COUNT + 2);
    for (let at = 0; at < MAX_ENTRY_COUNT; at++) await stage.cache.isOpen(`type-${at}`);
    await stage.cache.isOpen("one-more");
    await stage.cache.isOpen("type-0");
    expect(stage.asked.filter((type) => type === "type-0")).to.have.length(2);
  });
});
