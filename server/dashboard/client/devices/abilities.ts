// What the chosen devices can be ordered to do, taken together.

import { useEffect, useState } from "preact/hooks";
import type { AbilityCountView } from "../../../api/ability-schemas.js";
import type { Selection } from "../../../shared/bulk-run.js";
import { ask } from "../session.js";
import type { OfferedField } from "./setting-fields.js";

export interface Abilities {
  /** Some of the devices have told nothing: these may be ordered anything. */
  readonly hasUntold: boolean;
  readonly orders: ReadonlySet<string>;
  readonly offered: readonly OfferedField[];
}

/** `undefined`: not known yet, or nothing is chosen. */
export function useAbilities(selection: Selection, total: number): Abilities | undefined {
  const [counts, setCounts] = useState<readonly AbilityCountView[]>();
  const body = JSON.stringify("ids" in selection ? { devices: selection.ids } : selection);
  useEffect(() => {
    setCounts(undefined);
    if (total === 0) return;
    let isGone = false;
    ask<{ readonly abilities: readonly AbilityCountView[] }>(
      "POST",
      "/api/devices/abilities",
      JSON.parse(body),
    ).then(
      ({ abilities }) => isGone || setCounts(abilities),
      // The server refuses what a device cannot do.
      () => isGone || setCounts([]),
    );
    return () => {
      isGone = true;
    };
  }, [body, total === 0]);
  return counts && together(counts, total);
}

/** The first of several fields of one name is that of most devices. */
export function together(counts: readonly AbilityCountView[], total: number): Abilities {
  const found = new Map<string, { readonly field: OfferedField["field"]; readonly count: number }>();
  for (const { fields, device_count: count } of counts)
    for (const field of fields) {
      const known = found.get(field.name);
      found.set(field.name, { field: known?.field ?? field, count: (known?.count ?? 0) + count });
    }
  const toldCount = counts.reduce((sum, { device_count: count }) => sum + count, 0);
  return {
    hasUntold: toldCount < total,
    orders: new Set(counts.flatMap(({ orders }) => orders)),
    offered: [...found.values()].map(({ field, count }) => ({
      field,
      note:
        count < total ? `${count.toLocaleString("en")} of ${total.toLocaleString("en")} have it` : undefined,
    })),
  };
}
