import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";

export function knownClientContract(store: () => Store): void {
  describe("clients that have signed in", () => {
    const put = (client: string, account: string, seenAt: number) =>
      store().putKnownClient({ client, account, seenAt });

    it("are known for their account, since a time", async () => {
      await put("browser", "ada", 1000);
      expect(await store().isKnownClient("browser", "ada", 999)).to.equal(true);
      expect(await store().isKnownClient("browser", "ada", 1000)).to.equal(false);
      expect(await store().isKnownClient("browser", "bob", 0)).to.equal(false);
      expect(await store().isKnownClient("other", "ada", 0)).to.equal(false);
      expect(await store().isKnownClient("browser", undefined, 0), "of any account").to.equal(true);
      await put("browser", "ada", 2000);
      expect(await store().isKnownClient("browser", "ada", 1999)).to.equal(true);
    });

    it("are forgotten when they were seen long ago, and the oldest when there are too many", async () => {
      for (let index = 0; index < 5; index++) await put(`c${index}`, "ada", 1000 + index);
      expect(await store().pruneKnownClients({ before: 1001, maxCount: 10 })).to.equal(1);
      expect(await store().pruneKnownClients({ before: 0, maxCount: 2 })).to.equal(2);
      expect(await store().isKnownClient("c2", "ada", 0)).to.equal(false);
      expect(await store().isKnownClient("c3", "ada", 0)).to.equal(true);
      expect(await store().pruneKnownClients({ before: 0, maxCount: 2 })).to.equal(0);
    });
  });
}
