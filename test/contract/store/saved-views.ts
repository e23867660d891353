import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";

export function savedViewContract(store: () => Store): void {
  it("keeps the views that each user has saved, by name", async () => {
    const user = async (name: string) =>
      (await store().addUser({ name, role: "viewer", passwordHash: null, createdAt: 0 })).id;
    const [ada, eve] = [await user("ada"), await user("eve")];
    const put = (userId: number, name: string, query: string) =>
      store().putSavedView({ userId, name, query });
    await put(ada, "late", "status=late");
    await put(ada, "empty batteries", "order=battery");
    await put(eve, "late", "status=late&type=led");
    await put(ada, "late", "status=late&type=base");
    const names = async (id: number) =>
      (await store().listSavedViews(id)).map(({ name, query }) => `${name}: ${query}`);
    expect(await names(ada)).to.deep.equal(["empty batteries: order=battery", "late: status=late&type=base"]);
    expect(await store().removeSavedView(ada, "late")).to.equal(true);
    expect(await store().removeSavedView(ada, "late")).to.equal(false);
    expect(await names(ada)).to.deep.equal(["empty batteries: order=battery"]);
    expect(await names(eve)).to.deep.equal(["late: status=late&type=led"]);
  });
}
