// What the store promises about pictures for panels.

import { expect } from "chai";
import type { NewContentAssignment, NewContentImage, Store } from "../../../server/store/store.js";

const PAGE = { limit: 2, offset: 0 };

const sampleImage = (changes: Partial<NewContentImage> = {}): NewContentImage => ({
  name: "Summer",
  width: 200,
  height: 100,
  hash: "e".repeat(64),
  sizeBytes: 2511,
  createdBy: "ada",
  createdAt: 1000,
  ...changes,
});

const sampleAssignment = (
  imageId: number,
  changes: Partial<NewContentAssignment> = {},
): NewContentAssignment => ({
  imageId,
  target: { kind: "default", name: "" },
  from: null,
  until: null,
  windows: null,
  createdBy: "ada",
  createdAt: 2000,
  ...changes,
});

export function contentContract(store: () => Store): void {
  it("keeps pictures, newest first, and references their files as long as it has them", async () => {
    const first = await store().addContentImage(sampleImage());
    const second = await store().addContentImage(sampleImage({ name: "Winter", hash: "f".repeat(64) }));
    const third = await store().addContentImage(sampleImage());
    expect(first).to.deep.equal({ id: first.id, ...sampleImage() });
    expect(await store().findContentImage(second.id)).to.deep.equal(second);
    expect(await store().listContentImages(PAGE)).to.deep.equal({ rows: [third, second], totalCount: 3 });
    const hashes = [first.hash, second.hash];
    expect(await store().removeContentImage(second.id)).to.equal(true);
    expect(await store().removeContentImage(second.id)).to.equal(false);
    expect(await store().findUsedBlobs(hashes)).to.deep.equal(new Set([first.hash]));
    expect(await store().removeContentImage(first.id)).to.equal(true);
    expect(await store().findUsedBlobs(hashes), "the other of the same file").to.deep.equal(
      new Set([first.hash]),
    );
    expect((await store().addContentImage(sampleImage())).id).to.be.above(third.id);
  });

  it("keeps no assignment without its picture", async () => {
    const image = await store().addContentImage(sampleImage());
    const assignment = await store().addContentAssignment(sampleAssignment(image.id));
    expect(
      await store()
        .removeContentImage(image.id)
        .catch(() => "refused"),
    ).to.equal("refused");
    expect(
      await store()
        .addContentAssignment(sampleAssignment(image.id + 1))
        .catch(() => "refused"),
    ).to.equal("refused");
    expect(await store().removeContentAssignment(assignment.id)).to.equal(true);
    expect(await store().removeContentAssignment(assignment.id)).to.equal(false);
    expect(await store().removeContentImage(image.id)).to.equal(true);
  });

  it("lists assignments, for all pictures or for one", async () => {
    const image = await store().addContentImage(sampleImage());
    const other = await store().addContentImage(sampleImage());
    const windows = {
      timeZone: "Europe/Berlin",
      spans: [{ weekdays: [1, 7], from: "08:00", to: "18:30" }],
    };
    const timed = sampleAssignment(image.id, { from: 3000, until: 4000, windows });
    const first = await store().addContentAssignment(timed);
    expect(first).to.deep.equal({ id: first.id, ...timed });
    const second = await store().addContentAssignment(sampleAssignment(other.id));
    const third = await store().addContentAssignment(sampleAssignment(image.id));
    expect(await store().findContentAssignment(first.id)).to.deep.equal(first);
    expect(await store().listContentAssignments({}, PAGE)).to.deep.equal({
      rows: [third, second],
      totalCount: 3,
    });
    expect(await store().listContentAssignments({ imageId: image.id }, PAGE)).to.deep.equal({
      rows: [third, first],
      totalCount: 2,
    });
    const target = { kind: "group", name: "berlin" } as const;
    expect((await store().listContentAssignments({ target }, PAGE)).totalCount).to.equal(0);
    const fourth = await store().addContentAssignment(sampleAssignment(image.id, { target }));
    expect(await store().listContentAssignments({ target }, PAGE)).to.deep.equal({
      rows: [fourth],
      totalCount: 1,
    });
  });

  it("finds what is assigned to a device, its group, its type and all devices, and nothing else", async () => {
    const image = await store().addContentImage(sampleImage());
    for (const [kind, name] of [
      ["device", "hall"],
      ["device", "cms"],
      ["group", "berlin"],
      ["group", "hall"],
      ["type", "cms"],
      ["type", "berlin"],
      ["default", ""],
    ] as const)
      await store().addContentAssignment(sampleAssignment(image.id, { target: { kind, name } }));
    const find = async (type: string | undefined, group: string | null) =>
      (await store().findContentAssignmentsFor({ deviceId: "hall", type, group }))
        .map(({ target: { kind, name } }) => `${kind} ${name}`)
        .sort();
    expect(await find("cms", "berlin")).to.deep.equal([
      "default ",
      "device hall",
      "group berlin",
      "type cms",
    ]);
    expect(await find(undefined, null)).to.deep.equal(["default ", "device hall"]);
  });
}
