// The table of pages: their paths, titles and required permissions. The server answers each of
// these paths with the same page; client/pages.tsx draws them.

import type { Scope } from "../shared/permissions.js";

export interface PageEntry {
  readonly name: string;
  /** In the menu, in the order of this table. */
  readonly inMenu: boolean;
  readonly needs: Scope;
  /** The menu's entry that it belongs to, if its path does not begin with that. */
  readonly partOf?: string;
}

export const PAGES = Object.freeze({
  "/": { name: "Dashboard", inMenu: true, needs: "read" },
  "/ota-management": { name: "Updates", inMenu: true, needs: "read" },
  "/ota-management/rollouts/new": { name: "New rollout", inMenu: false, needs: "rollouts:write" },
  "/ota-management/rollouts/:id/edit": { name: "Change a rollout", inMenu: false, needs: "rollouts:write" },
  "/ota-management/rollouts/:id": { name: "Rollout", inMenu: false, needs: "read" },
  "/devices": { name: "Devices", inMenu: true, needs: "read" },
  "/devices/:id": { name: "Device", inMenu: false, needs: "read" },
  "/content-admin": { name: "Displays", inMenu: true, needs: "read" },
  "/upload": { name: "New picture", inMenu: false, needs: "read", partOf: "/content-admin" },
  "/audit": { name: "Audit", inMenu: true, needs: "audit:read" },
  "/settings": { name: "Settings", inMenu: true, needs: "read" },
} as const satisfies Record<string, PageEntry>);

export type PagePath = keyof typeof PAGES;
export const PAGE_PATHS = Object.freeze(Object.keys(PAGES) as PagePath[]);

/** Parts of a path that begin with `:` in the table. */
export type PathParams = Readonly<Record<string, string>>;

/** The first page of the table that a path fits, so a fixed path precedes one with parameters. */
export function matchPage(
  path: string,
): { readonly page: PagePath; readonly params: PathParams } | undefined {
  const parts = split(path);
  for (const page of PAGE_PATHS) {
    const params = matchParts(split(page), parts);
    if (params) return { page, params };
  }
  return undefined;
}

const split = (path: string): readonly string[] => path.split("/").filter(Boolean);

function matchParts(pattern: readonly string[], parts: readonly string[]): PathParams | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, name] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (name.startsWith(":")) params[name.slice(1)] = decode(part);
    else if (name !== part) return undefined;
  }
  return params;
}

/** Typed URLs may be badly encoded. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
