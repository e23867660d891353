// Sets whether a device type takes signed releases only, with its lines in the log and the audit.

import type { Journal } from "../events/journal.js";
import type { DeviceType, DeviceTypeKind } from "../store/types.js";

export async function setTypeKind(journal: Journal, name: string, kind: DeviceTypeKind): Promise<DeviceType> {
  const known = await journal.store.findType(name);
  if (known?.kind !== kind)
    await journal.log({ kind: "type.changed", message: `type ${name} is ${kind} now` });
  const after = await journal.store.putType(name, kind, journal.time);
  await journal.audit({
    action: "type.changed",
    subject: `type/${name}`,
    before: known && { kind: known.kind },
    after: { kind },
  });
  return after;
}
