import { expect } from "chai";
import { createTerminal } from "../../../host-sim/sim/terminal.js";

const KIB = 1024;

describe("the simulator's terminal", () => {
  /** What is written, with a terminal behind it or without. */
  function written(isTTY: boolean, use: (terminal: ReturnType<typeof createTerminal>) => void): string {
    let text = "";
    const output = {
      isTTY,
      write(piece: string) {
        text += piece;
        return true;
      },
    };
    use(createTerminal(output as unknown as NodeJS.WriteStream, { NO_COLOR: "1" }));
    return text;
  }

  it("draws a bar with the percentage, and ends it before the next line", () => {
    const text = written(true, (terminal) => {
      terminal.progress("device-2: writing ota_0", 100 * KIB, 400 * KIB);
      terminal.done("updated");
    });
    expect(text).equal(
      `\r\u001b[2K${"█".repeat(7)}${"░".repeat(21)} device-2: writing ota_0 25 %  100 of 400 KiB\n✔ updated\n`,
    );
  });

  it("never shows more than all of it", () => {
    const text = written(true, (terminal) => terminal.progress("writing ota_1", 401 * KIB, 400 * KIB));
    expect(text).include("█".repeat(28)).and.include(" 100 % ").and.not.include("░");
  });

  it("tells of each quarter once where nothing can be redrawn, of each device by itself", () => {
    const text = written(false, (terminal) => {
      for (let done = 0; done <= 400; done += 50)
        for (const name of ["device", "device-2"])
          terminal.progress(`${name}: writing ota_0`, done * KIB, 400 * KIB);
    });
    const lines = text.trimEnd().split("\n");
    expect(lines).length(10);
    expect(lines.slice(0, 4)).deep.equal([
      "· device: writing ota_0 0 %  0 of 400 KiB",
      "· device-2: writing ota_0 0 %  0 of 400 KiB",
      "· device: writing ota_0 25 %  100 of 400 KiB",
      "· device-2: writing ota_0 25 %  100 of 400 KiB",
    ]);
    expect(lines.at(-1)).equal("· device-2: writing ota_0 100 %  400 of 400 KiB");
  });
});
