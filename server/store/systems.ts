// What the store remembers of systems: several devices that are updated as one, by manifests that are signed elsewhere.

import type { Page, Paged } from "./page.js";

export interface NewSystem {
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  /** Of its components, sorted, each once. */
  readonly deviceTypes: readonly string[];
  /** The signed manifest, compact JWS. */
  readonly manifest: string;
  readonly createdAt: number;
}

export interface StoredSystem extends NewSystem {
  readonly id: number;
  /** Devices may be told of it. */
  readonly isActive: boolean;
  readonly updatedAt: number;
}

type SystemFilter = Partial<Pick<StoredSystem, "name" | "version" | "deviceTypes" | "isActive">>;

export interface SystemStore {
  /** It is active. @throws AlreadyExists if the system has this version already */
  addSystem(system: NewSystem): Promise<StoredSystem>;
  findSystem(id: number): Promise<StoredSystem | undefined>;
  /** Newest first. `deviceTypes` of the filter: of exactly these, sorted. */
  listSystems(filter: SystemFilter, page: Page): Promise<Paged<StoredSystem>>;
  changeSystem(
    id: number,
    changes: Pick<StoredSystem, "isActive">,
    time: number,
  ): Promise<StoredSystem | undefined>;
}
