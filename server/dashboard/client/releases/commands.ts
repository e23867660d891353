// The commands that sign an image on the user's computer, to be copied. Pure.

export interface Signing {
  /** Name of the image's file. */
  readonly file: string;
  /** Empty: the default. */
  readonly type: string;
  readonly hardware: string;
}

export const signCommand = ({ file, type, hardware }: Signing): string =>
  [
    "npx skyslot release sign",
    fileWord(file),
    ...(type === "" ? [] : ["--type", shellWord(type)]),
    ...(hardware === "" ? [] : ["--hardware", shellWord(hardware)]),
    "--key release.jwk",
  ].join(" ");

export const PAGE_COMMAND = "npx skyslot release sign-page --out sign.html";
export const CHECK_COMMAND = "npx skyslot release sign-page --check sign.html";

/** A file's name that begins with a hyphen would be read as an option. */
const fileWord = (file: string): string => shellWord(file.startsWith("-") ? `./${file}` : file);

/** One word of a shell's command line: nothing in it is expanded or executed. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
