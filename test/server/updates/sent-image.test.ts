// An attempt of a client that reports nothing, with the store in memory.

import { expect } from "chai";
import { Journal } from "../../../server/events/journal.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Device, Firmware, Store } from "../../../server/store/store.js";
import { addAttempt } from "../../../server/updates/attempt.js";
import { beginSending, endUnproved, noteSent } from "../../../server/updates/sent-image.js";
import { sampleDevice, sampleFirmware } from "../../contract/store/samples.js";

let store: Store;
let journal: Journal;
let device: Device;
let firmware: Firmware;
beforeEach(async () => {
  store = await openSqliteStore(":memory:");
  journal = new Journal(store, 5000);
  device = await store.putDevice(sampleDevice({ version: "1.0.0", build: 0 }));
  firmware = await store.addFirmware(sampleFirmware({ version: "1.2.0", buildNumber: 0, release: null }));
});
afterEach(() => store.close());

const begin = async () => {
  await addAttempt(journal, device, firmware);
  const begun = await beginSending(journal, device.id, firmware);
  if (!begun) throw new Error("no attempt is open");
  return begun;
};
/** The device asks again. */
const ask = async (changes: Partial<Device> = {}) =>
  endUnproved(journal, { ...device, ...changes }, await store.findOpenUpdate(device.id));
const lastAttempt = () => store.findLastUpdate(device.id, firmware.id);

describe("an image that is sent to a client that reports nothing", () => {
  it("is sent in an open attempt with this firmware only", async () => {
    expect(await beginSending(journal, device.id, firmware)).to.equal(undefined);
    await addAttempt(journal, device, firmware);
    const other = await store.addFirmware(sampleFirmware({ version: "1.3.0", release: null }));
    expect(await beginSending(journal, device.id, other)).to.equal(undefined);
    expect(await beginSending(journal, device.id, firmware)).to.include({ status: "downloading" });
  });

  it("never ran if it was sent whole and the device runs another", async () => {
    const { id } = await begin();
    await noteSent(journal, id, firmware);
    expect(await lastAttempt()).to.include({ step: "sent", bytesDownloaded: firmware.fileSize });
    expect(await ask()).to.equal(undefined);
    expect(await lastAttempt()).to.include({ status: "failed", errorCode: "NEVER_RAN", finishedAt: 5000 });
  });

  it("was not received if it was not sent whole", async () => {
    await begin();
    expect(await ask()).to.equal(undefined);
    expect(await lastAttempt()).to.include({ status: "failed", errorCode: "DOWNLOAD_BROKEN" });
  });

  it("was installed again if it was sent whole and the device says its version, as before", async () => {
    const { id } = await begin();
    await noteSent(journal, id, firmware);
    expect(await ask({ version: "v1.2.0" })).to.equal(undefined);
    expect(await lastAttempt()).to.include({ status: "success", step: "reported" });
  });

  it("is not noted as sent in an attempt that has ended or gone on meanwhile", async () => {
    const { id } = await begin();
    await ask();
    await noteSent(journal, id, firmware);
    expect(await lastAttempt()).to.include({ status: "failed", step: "sending" });
    await noteSent(journal, id + 1, firmware);
  });

  it("leaves alone what other clients are at", async () => {
    const { id } = await addAttempt(journal, device, firmware);
    expect(await ask(), "offered").to.include({ id, status: "pending" });
    await store.changeUpdate(id, { status: "downloading", step: "proceeding" }, 1);
    expect(await ask(), "by another protocol").to.include({ id });
    await store.changeUpdate(id, { status: "installing", step: "sent" }, 1);
    expect(await ask(), "under way").to.include({ id });
    const signed = await store.addFirmware(sampleFirmware({ version: "1.4.0", release: "x.y.z" }));
    await store.changeUpdate(id, { status: "failed", finishedAt: 1 }, 1);
    const next = await addAttempt(journal, device, signed);
    const open = await store.changeUpdate(next.id, { status: "downloading", step: "sent" }, 1);
    expect(await endUnproved(journal, device, open), "signed: the step is the device's own word").to.equal(
      open,
    );
  });
});
