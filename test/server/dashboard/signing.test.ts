import { expect } from "chai";
import { describeRelease } from "../../../release/describe.js";
import { readRelease, signRelease, verifyReleaseSignature } from "../../../release/signing.js";
import { describeFile } from "../../../server/dashboard/client/releases/signing.js";
import { makeRelease, releaseKeys } from "../test-server.js";

describe("a release that is signed in a browser", () => {
  it("has the manifest that the command line creates for the same image", async () => {
    const { image } = await makeRelease("1.4.2");
    for (const options of [
      { created: 1_795_000_000 },
      {
        created: 7,
        type: "led",
        hardware: "board-2",
        chunkBytes: 4096,
        minCurrentVersion: "1.0.0",
        expires: 9,
      },
    ])
      expect(await describeFile(image, options)).deep.equal(describeRelease(image, options));
    const { privateKey, publicKey } = await releaseKeys();
    const manifest = await signRelease(await describeFile(image, { created: 7 }), privateKey);
    await verifyReleaseSignature(readRelease(manifest), [publicKey]);
  });

  it("is refused for the same reasons", async () => {
    const { image } = await makeRelease("1.4.2");
    const damaged = Buffer.from(image);
    damaged[400] = (damaged[400] ?? 0) ^ 1;
    for (const file of [damaged, image.subarray(0, 1000), Buffer.from("no image at all")]) {
      const said = (work: () => unknown) =>
        Promise.resolve()
          .then(work)
          .then(
            () => "nothing",
            (error: Error) => error.message,
          );
      const sentence = await said(() => describeRelease(file, { created: 7 }));
      expect(sentence).not.equal("nothing");
      expect(await said(() => describeFile(file, { created: 7 }))).equal(sentence);
    }
  });
});
