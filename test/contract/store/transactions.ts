// What the store promises about transactions.

import { expect } from "chai";
import { AlreadyExists, type Store } from "../../../server/store/store.js";
import { addAttempt, sampleDevice, sampleFirmware } from "./samples.js";
import { sampleWebhook } from "./webhooks.js";

export function transactionContract(store: () => Store): void {
  it("keeps nothing of a transaction that fails", async () => {
    const failed = store().transaction(async (inside) => {
      await inside.putDevice(sampleDevice());
      expect(await inside.countDevices()).to.equal(1);
      throw new Error("no");
    });
    expect(await failed.catch((error: Error) => error.message)).to.equal("no");
    expect(await store().countDevices()).to.equal(0);
  });

  it("isolates concurrent transactions", async () => {
    await store().putDevice(sampleDevice({ bootCount: 0 }));
    const increment = () =>
      store().transaction(async (inside) => {
        const device = await inside.findDevice("base-010203");
        await new Promise((resolve) => setImmediate(resolve));
        await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1 }));
      });
    await Promise.all(Array.from({ length: 10 }, increment));
    expect((await store().findDevice("base-010203"))?.bootCount).to.equal(10);
  });

  it("isolates transactions that name what they are about", async () => {
    await store().putDevice(sampleDevice({ bootCount: 0 }));
    const increment = () =>
      store().transaction(
        async (inside) => {
          const device = await inside.findDevice("base-010203");
          await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1 }));
        },
        { about: "device:base-010203" },
      );
    await Promise.all(Array.from({ length: 50 }, increment));
    expect((await store().findDevice("base-010203"))?.bootCount).to.equal(50);
  });

  it("never gives the last place to two transactions", async () => {
    // Each counts rows and adds its own: no row is written by two of them.
    const take = (n: number) =>
      store().transaction(async (inside) => {
        if ((await inside.countDevices()) >= 5) return false;
        await inside.putDevice(sampleDevice({ id: `d${n}` }));
        return true;
      });
    const taken = await Promise.all(Array.from({ length: 12 }, (_, n) => take(n)));
    expect(taken.filter(Boolean)).to.have.length(5);
    expect(await store().countDevices()).to.equal(5);
  });

  it("shows each transaction what is stored of types and releases, whatever others have read or taken back", async () => {
    const read = () =>
      store().transaction(async (inside) => ({
        kind: (await inside.findType("base"))?.kind,
        versions: (await inside.activeFirmware("base")).map(({ version }) => version),
        hasWebhooks: (await inside.listWebhooks()).length > 0,
      }));
    const nothing = { kind: undefined, versions: [] as string[], hasWebhooks: false };
    expect(await read()).to.deep.equal(nothing);
    const failed = store().transaction(async (inside) => {
      await inside.putType("base", "legacy", 1000);
      const { id } = await inside.addFirmware(sampleFirmware({ version: "9.0.0" }));
      // What it reads itself it has changed.
      expect((await inside.findType("base"))?.kind).to.equal("legacy");
      expect((await inside.findFirmware(id))?.version).to.equal("9.0.0");
      expect(await inside.activeFirmware("base")).to.have.length(1);
      throw new Error("no");
    });
    // It shares the failing one's commit on SQLite.
    const beside = read();
    expect(await failed.catch((error: Error) => error.message)).to.equal("no");
    expect(await beside).to.deep.equal(nothing);
    expect(await read()).to.deep.equal(nothing);
    const { id } = await store().addFirmware(sampleFirmware({ version: "1.1.0" }));
    expect(await read()).to.deep.equal({ ...nothing, versions: ["1.1.0"] });
    await store().transaction((inside) => inside.putType("base", "signed", 2000));
    expect(await read()).to.deep.equal({ ...nothing, kind: "signed", versions: ["1.1.0"] });
    await store().changeFirmware(id, { isActive: false }, 3000);
    await store().addWebhook(sampleWebhook());
    expect(await read()).to.deep.equal({ kind: "signed", versions: [], hasWebhooks: true });
  });

  it("keeps nothing of a transaction in which a method has thrown, even if the caller continues", async () => {
    await addAttempt(store());
    const careless = store().transaction(async (inside) => {
      await inside.putDevice(sampleDevice({ id: "second" }));
      const error = await inside.addFirmware(sampleFirmware()).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(AlreadyExists);
    });
    expect(await careless.catch(() => "refused")).to.equal("refused");
    expect(await store().findDevice("second")).to.equal(undefined);
    await store().putDevice(sampleDevice({ id: "third" }));
    expect(await store().countDevices()).to.equal(2);
  });

  it("refuses a transaction inside a transaction", async () => {
    const nested = store().transaction((inside) => inside.transaction(async () => "done"));
    expect(await nested.catch(() => "refused")).to.equal("refused");
  });
}
