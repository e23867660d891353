// Sets or removes the registration policy of a device type, with its line in the audit log.

import type { Journal } from "../events/journal.js";
import type { RegistrationPolicy } from "../store/store.js";
import { viewPolicy } from "./registration-views.js";

/** @param after `undefined`: the type has none of its own any more, and the default applies */
export async function setPolicy(
  journal: Journal,
  type: string,
  after: RegistrationPolicy | undefined,
): Promise<void> {
  const [before] = await journal.store.findPolicies([type]);
  if (after) await journal.store.putPolicy(after);
  else await journal.store.removePolicy(type);
  await journal.audit({
    action: "registration.changed",
    subject: `registration/${type}`,
    before: before && viewPolicy(before),
    after: after && viewPolicy(after),
  });
}
