// What a page shows comes from the API, and is reloaded when the live stream reports a change of its kind. Actions of the user go to the
// API, too; the page changes only with the server's answer.

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import type { LiveType } from "./feed.js";
import { ask } from "./session.js";

/** Calls the listener after each change of these kinds, and when the stream has reconnected. @returns what ends it */
export type Watch = (types: readonly LiveType[], listener: () => void) => () => void;
export const WatchContext = createContext<Watch>(() => () => {});

/** Minimum time between two loads of a list. */
const PAUSE_MS = 1500;

export interface Loaded<Answer> {
  /** The last answer, also while the next is loading. */
  readonly data: Answer | undefined;
  readonly problem: string;
  readonly reload: () => void;
}

/** @param path `undefined`: nothing is loaded */
export function useData<Answer>(path: string | undefined, about: readonly LiveType[] = []): Loaded<Answer> {
  const watch = useContext(WatchContext);
  const [answer, setAnswer] = useState<{ readonly data?: Answer; readonly problem: string }>({ problem: "" });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    if (path === undefined) return;
    let isCancelled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = () =>
      ask<Answer>("GET", path).then(
        (data) => isCancelled || setAnswer({ data, problem: "" }),
        (error: Error) =>
          isCancelled || setAnswer(({ data }) => ({ ...(data && { data }), problem: sentence(error) })),
      );
    const loadSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        load();
      }, PAUSE_MS);
    };
    load();
    const unwatch = watch(about, loadSoon);
    return () => {
      isCancelled = true;
      clearTimeout(timer);
      unwatch();
    };
  }, [path, turn, watch, about.join()]);
  return { data: answer.data, problem: answer.problem, reload };
}

export interface Action {
  readonly isBusy: boolean;
  readonly problem: string;
  /** Runs the work unless one is running; its error becomes the problem. Resolves to whether it succeeded. */
  run(work: () => Promise<unknown>): Promise<boolean>;
  /** Removes the problem: what it was about has been changed since. */
  forget(): void;
}

/** @param onDone called after work that has succeeded, such as the reload of what it has changed */
export function useAction(onDone?: () => unknown): Action {
  const [state, setState] = useState({ isBusy: false, problem: "" });
  const isBusy = useRef(false);
  const run = async (work: () => Promise<unknown>) => {
    if (isBusy.current) return false;
    isBusy.current = true;
    setState({ isBusy: true, problem: "" });
    const problem = await work().then(
      () => "",
      (error: Error) => sentence(error),
    );
    if (problem === "") onDone?.();
    isBusy.current = false;
    setState({ isBusy: false, problem });
    return problem === "";
  };
  const forget = () => setState((before) => (before.problem === "" ? before : { ...before, problem: "" }));
  return { ...state, run, forget };
}

/**
 * Words with which messages of the server begin. Any other first word may be a name, which has no other capitals than its own: "base is
 * the last administrator", "mqtt://… does not answer".
 */
const FIRST_WORDS: ReadonlySet<string> = new Set(
  (
    "a after all an another at attempt device devices every export file firmware image it key labels manifest name no nothing only order " +
    "part picture release rollout send settings signature state that the there this too two update user version webhook you"
  ).split(" "),
);

/** A message of the server as a sentence, with a full stop, and a capital unless it begins with a name. */
export function sentence({ message }: { readonly message: string }): string {
  const [first = ""] = message.split(/[ ,:]/);
  const text = FIRST_WORDS.has(first) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A path with a query, without undefined or empty values. */
export function withParams(
  path: string,
  params: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") query.set(name, `${value}`);
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
