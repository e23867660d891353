// Which names are those of device types. A type is nothing that is added: it is there when something names it.

import type { Store } from "../store/store.js";

type Naming = Pick<
  Store,
  | "findType"
  | "findPolicies"
  | "listFirmware"
  | "listDevices"
  | "listEnrolmentTokens"
  | "listContentAssignments"
>;

const ONE = Object.freeze({ limit: 1, offset: 0 });

/** Whether a setting, a policy, a token, a release, a picture or a device names it as a device type. */
export async function isTypeName(store: Naming, name: string): Promise<boolean> {
  return (
    (await store.findType(name)) !== undefined ||
    (await store.findPolicies([name])).length > 0 ||
    (await store.listFirmware({ deviceType: name }, ONE)).totalCount > 0 ||
    (await store.listDevices({ type: name }, ONE)).totalCount > 0 ||
    (await store.listContentAssignments({ target: { kind: "type", name } }, ONE)).totalCount > 0 ||
    (await store.listEnrolmentTokens()).some(({ deviceType }) => deviceType === name)
  );
}
