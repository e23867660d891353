import { createHash } from "node:crypto";
import { expect } from "chai";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";

describe("the id of a key", () => {
  it("is its thumbprint, whatever its coordinates", () => {
    for (let seed = 0; seed < 64; seed++) {
      const coordinate = (salt: number) =>
        Buffer.from(
          Uint8Array.from({ length: 32 }, (_, i) => (seed * 37 + salt + i * (seed + 3)) & 255),
        ).toString("base64url");
      const point = { x: coordinate(1), y: coordinate(200) };
      const members = `{"crv":"P-256","kty":"EC","x":"${point.x}","y":"${point.y}"}`;
      const digest = createHash("sha256").update(members).digest();
      expect(thumbprint(point)).equal(Buffer.from(digest).toString("base64url"));
    }
  });

  it("is that of the key in RFC 7515, A.3", () => {
    const point = {
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    };
    expect(thumbprint(point)).equal("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
  });
});
