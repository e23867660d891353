// One line for the current step, redrawn while it lasts, and one for each that is done. Without a terminal only the latter,
// and what a step prints.

import type { Outcome } from "./table.js";

type Output = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

const DRAW_EVERY_MS = 500;
const MARKS = Object.freeze({ passed: "✔", failed: "✘", skipped: "–" });

export interface Screen {
  begin(step: string): void;
  say(text: string): void;
  end(outcome: Outcome): void;
}

export function openScreen(output: Output): Screen {
  const isLive = output.isTTY === true;
  let step = "";
  let said = "";
  let startedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const clear = () => isLive && output.write("\r\u001b[2K");
  const draw = (): void => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    const text = `· ${step}, ${seconds} s${said === "" ? "" : `: ${said}`}`;
    clear();
    output.write(text.slice(0, (output.columns ?? 80) - 1));
  };
  return {
    begin(name) {
      [step, said, startedAt] = [name, "", Date.now()];
      if (isLive) timer = setInterval(draw, DRAW_EVERY_MS);
      else output.write(`· ${step}\n`);
    },
    say(text) {
      said = text;
      if (isLive) draw();
      else output.write(`    ${text}\n`);
    },
    end({ step: name, result, seconds, detail }) {
      clearInterval(timer);
      clear();
      output.write(`${MARKS[result]} ${name}, ${seconds.toFixed(1)} s: ${detail}\n`);
    },
  };
}
