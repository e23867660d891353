// A list, newest first, of which the page has the beginning: new entries are added by themselves, older ones on request.

import { useState } from "preact/hooks";
import { type Action, useAction } from "../data.js";
import { Button } from "./button.js";

interface Entry {
  readonly id: number;
}

export interface OlderOf<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  readonly action: Action;
  readonly load: () => void;
}

/** @param limit entries of each answer: a shorter one is the last @param read those before an id */
export function useOlder<Item extends Entry>(
  newest: readonly Item[],
  limit: number,
  read: (before: number) => Promise<readonly Item[]>,
): OlderOf<Item> {
  const [older, setOlder] = useState<readonly Item[]>([]);
  const [isWhole, setIsWhole] = useState(false);
  const action = useAction();
  const ids = new Set(newest.map(({ id }) => id));
  const items = [...newest, ...older.filter(({ id }) => !ids.has(id))];
  const last = items.at(-1);
  const load = () =>
    action.run(async () => {
      const answer = last ? await read(last.id) : [];
      setOlder([...older, ...answer]);
      setIsWhole(answer.length < limit);
    });
  return {
    items,
    action,
    load,
    hasMore: items.length > 0 && (older.length > 0 ? !isWhole : newest.length >= limit),
  };
}

/** The button that loads them. */
export const Older = ({ hasMore, action, load }: Omit<OlderOf<unknown>, "items">) =>
  hasMore ? (
    <p class="actions">
      <Button isBusy={action.isBusy} onClick={load}>
        Older
      </Button>
    </p>
  ) : null;
