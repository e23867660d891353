// What a person sees in the terminal while a device works: lines with a mark, and a progress bar that redraws itself. Without a
// terminal behind the stream there are no colours and no redrawing, only whole lines.

export interface Terminal {
  /** A step that is done. */
  done(text: string): void;
  /** Something to know. */
  note(text: string): void;
  warn(text: string): void;
  /** Redraws the bar; it ends at the next line. `done` and `total` are bytes, unless they count something else. */
  progress(label: string, done: number, total: number, what?: string): void;
}

type Output = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

const BAR_WIDTH = 28;

export function createTerminal(output: Output, env: NodeJS.ProcessEnv = process.env): Terminal {
  const live = output.isTTY === true;
  const colours = live && !env.NO_COLOR && env.TERM !== "dumb";
  const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  let barIsOpen = false;
  /** Of each label: quarters of what was told last. */
  const told = new Map<string, number>();

  const line = (mark: string, text: string) => {
    if (barIsOpen) output.write("\n");
    barIsOpen = false;
    output.write(`${mark} ${text}\n`);
  };

  return {
    done: (text) => line(paint(32, "✔"), text),
    note: (text) => line(paint(36, "·"), text),
    warn: (text) => line(paint(33, "!"), text),
    progress(label, done, total, what) {
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const amount = what ? `${done} of ${total} ${what}` : `${kib(done)} of ${kib(total)} KiB`;
      const text = `${label} ${Math.floor(share * 100)} %  ${amount}`;
      if (!live) {
        const quarter = Math.floor(share * 4);
        if (quarter !== told.get(label)) output.write(`· ${text}\n`);
        told.set(label, quarter);
        return;
      }
      const full = Math.round(share * BAR_WIDTH);
      output.write(`\r\u001b[2K${paint(36, "█".repeat(full))}${"░".repeat(BAR_WIDTH - full)} ${text}`);
      barIsOpen = true;
    },
  };
}

const kib = (bytes: number) => Math.round(bytes / 1024);
