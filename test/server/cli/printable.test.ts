// Texts from devices reach terminals and logs: none of them may control the terminal, or forge a line of its own.

import { expect } from "chai";
import { pino } from "pino";
import {
  bold,
  describeFailure,
  printJson,
  printLine,
  printRows,
  redirectOutput,
  redrawLines,
} from "../../../server/cli/output.js";
import { printable, printableLog } from "../../../server/shared/printable.js";

/** Each does something to a terminal, or to who reads it. */
const HOSTILE = [
  "\u001b[2J\u001b[H all is well", // clears the screen
  "\u001b]0;owned\u0007", // sets the title
  "\u001b]52;c;cm0gLXJmIC8=\u0007", // writes to the clipboard
  "\u009b31mred", // the same in one character
  "gone\rdone",
  "one\n2026-11-30 12:00:00  update.success     validated", // forges a line of a log
  "a\u0008\u007fb",
  "\u202etxt.exe\u2066", // changes the direction of text
  "a\u2028b",
  "\u0000",
];
/** Without the line break that ends a line. */
const CONTROLS = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

function captured(print: () => void): string {
  let all = "";
  const restore = redirectOutput((text) => {
    all += text;
  });
  try {
    print();
  } finally {
    restore();
  }
  return all;
}

describe("what a device says, on a terminal", () => {
  it("is one line of text, in which its controls can be read", () => {
    expect(printable("a\u001b[31m\n\u009b\u202e\tz")).to.equal("a\\x1b[31m\\n\\x9b\\u202e\\tz");
    expect(printable("grün 💡 日本語 \\n")).to.equal("grün 💡 日本語 \\n");
  });

  it("is so in lines, tables, drawings and messages of errors", () => {
    for (const text of HOSTILE) {
      const line = captured(() => printLine(`${bold("x")} ${text}`));
      const table = captured(() => printRows([{ name: text, n: 1 }], { NAME: "name", N: "n" }));
      const drawn = captured(() => redrawLines([text], 0));
      expect(line.split("\n"), text).to.have.length(2);
      expect(table.split("\n"), text).to.have.length(3);
      expect(drawn, text).to.equal(`\u001b[J${printable(text)}\n`);
      for (const one of [line, table, describeFailure(new Error(text))])
        expect(one, text).not.to.match(CONTROLS);
    }
  });

  it("is the same value in JSON", () => {
    const json = captured(() => printJson(HOSTILE));
    expect(json).not.to.match(CONTROLS);
    expect(JSON.parse(json)).to.deep.equal(HOSTILE);
  });

  it("is printable in the log, also for programs that print its texts as they are", () => {
    for (const text of HOSTILE) {
      let line = "";
      const log = pino(
        { hooks: { streamWrite: printableLog } },
        {
          write(written) {
            line = written;
          },
        },
      );
      log.warn({ device: { id: text }, url: `/\\u001b${text}` }, "said");
      expect(line.split("\n"), text).to.have.length(2);
      expect(line, text).not.to.match(CONTROLS);
      const { device, url } = JSON.parse(line) as { device: { id: string }; url: string };
      expect(device.id, text).not.to.match(CONTROLS);
      expect(url, text).not.to.match(CONTROLS);
      expect(url.startsWith("/\\u001b"), text).to.equal(true);
    }
  });
});
