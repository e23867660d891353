// Text from a device, a client or a server, made safe for a terminal: what would move the cursor, change colours, titles or the direction of
// text, or begin a new line, is shown as an escape sequence of JavaScript, such as `\x1b`.

/** C0, DEL, C1, line separators, and the controls of bidirectional text. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** One line, whatever was in it. */
export const printable = (text: string): string => text.replace(CONTROLS, escapeOf);

function escapeOf(control: string): string {
  const code = control.charCodeAt(0);
  return NAMES[control] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

const NAMES: Readonly<Record<string, string>> = Object.freeze({ "\n": "\\n", "\r": "\\r", "\t": "\\t" });
const hex = (code: number, length: number): string => code.toString(16).padStart(length, "0");

/** JSON with the same meaning, in which JSON.stringify left no control as it is. */
export const printableJson = (json: string): string =>
  json.replace(CONTROLS, (control) => (control === "\n" ? control : `\\u${hex(control.charCodeAt(0), 4)}`));

/**
 * A line of JSON whose texts are printable once they are read: for logs, which are shown by programs that print texts as they are. Line
 * breaks stay: the stack of an error has them.
 */
export const printableLog = (line: string): string =>
  line
    .replace(/\\(u[0-9a-f]{4}|.)/gi, (sequence) => (isShown(sequence) ? sequence : `\\${sequence}`))
    .replace(CONTROLS, (control) => (control === "\n" ? control : `\\\\u${hex(control.charCodeAt(0), 4)}`));

/** Whether an escape of JSON stands for something that may be printed. */
const isShown = (sequence: string): boolean =>
  sequence === "\\n" || printable(JSON.parse(`"${sequence}"`) as string) === JSON.parse(`"${sequence}"`);
