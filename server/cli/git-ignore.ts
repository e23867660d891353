// Warns of a secret that git would take with the next `git add .`. It only asks git, and never changes a .gitignore.

import { execFile } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Prints a warning on standard error, with the line to add, if the file or folder lies in a git work tree that does not ignore it. Without
 * git, or outside of a work tree, it says nothing.
 * @param path of what exists; @param what says what it is, such as "the private key"
 */
export async function warnIfGitSees(path: string, what: string): Promise<void> {
  const missing = await missingIgnoreLine(path);
  if (missing === undefined) return;
  const { file, line } = missing;
  process.stderr.write(
    `warning: git does not ignore ${what} ${path}, so that it could be published with a commit; add this line to ${file}:\n${line}\n`,
  );
}

/** The line that is missing in which file; `undefined`: none. */
export async function missingIgnoreLine(
  path: string,
): Promise<{ readonly file: string; readonly line: string } | undefined> {
  const cwd = dirname(path);
  const name = basename(path);
  try {
    const { stdout } = await run("git", ["rev-parse", "--show-toplevel", "--show-prefix"], { cwd });
    const [top = "", prefix = ""] = stdout.split("\n");
    // 0: ignored; 1: not ignored
    const status = await run("git", ["check-ignore", "--quiet", "--", `./${name}`], { cwd }).then(
      () => 0,
      ({ code }: { readonly code?: unknown }) => code,
    );
    if (status !== 1) return undefined;
    return { file: join(top, ".gitignore"), line: `/${literal(`${prefix}${name}`)}` };
  } catch {
    return undefined;
  }
}

/** A pattern of gitignore(5) that matches this path alone. */
const literal = (path: string): string => path.replace(/[\\*?[]|\s+$/g, "\\$&");
