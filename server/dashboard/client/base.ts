// Where the server is on its host: behind the path of `--public-url`, which the page names. Everything that is requested or linked goes
// through this file, so that the others write paths as the server's routes and the table of pages have them.

/** Such as `/ota`; empty: at the root. */
const base = (): string => document.getElementById("app")?.dataset.base ?? "";

/** A path as the browser requests it. */
export const onServer = (path: string): string => `${base()}${path}`;

/** The path of the current page, as the table of pages has it. */
export function currentPath(): string {
  const { pathname } = location;
  const own = base();
  const isBehind = pathname === own || pathname.startsWith(`${own}/`);
  return (isBehind ? pathname.slice(own.length) : pathname) || "/";
}
