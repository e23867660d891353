// Client-side routing: the browser's URL is the only state. Links change it without reloading the page.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentPath, onServer } from "./base.js";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = (): Place => ({ path: currentPath(), query: new URLSearchParams(location.search) });

/** Dispatched by the browser on back and forward, and by `go`. */
const MOVED = "popstate";

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    addEventListener(MOVED, follow);
    return () => removeEventListener(MOVED, follow);
  }, []);
  return place;
}

/**
 * @param url as the table of pages has it
 * @param replaces the current URL is not kept in the history, such as each letter of a search
 */
export function go(url: string, replaces = false): void {
  if (replaces) history.replaceState(null, "", onServer(url));
  else history.pushState(null, "", onServer(url));
  dispatchEvent(new PopStateEvent(MOVED));
  if (!replaces) scrollTo(0, 0);
}

/** The current path with changed values in its query; empty ones are omitted. */
export function withQuery({ path, query }: Place, changes: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === "" ? path : `${path}?${text}`;
}

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly isCurrent?: boolean;
  readonly children: ComponentChildren;
}

export function Link({ to, class: name, isCurrent, children }: LinkProps) {
  const follow = (event: MouseEvent) => {
    // With a modifier key or another button, the browser opens it elsewhere as usual.
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={onServer(to)} class={name} aria-current={isCurrent ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
