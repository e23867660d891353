// What the store remembers of how devices prove who they are, and of who may register. Tokens are kept as their SHA-256 only.

import type { Page, Paged } from "./page.js";

export type DeviceState = "pending" | "approved" | "blocked";

/** `enrolment`: it came with an enrolment token. `approval`: a person approved it. `token`: a person gave it its token. */
export type Vouching = "enrolment" | "approval" | "token";

export interface DeviceIdentity {
  readonly deviceId: string;
  readonly deviceType: string;
  /** Since when it is known as one of its type. */
  readonly typeSince: number;
  readonly state: DeviceState;
  /** How somebody vouched for it; `null`: nobody did, it registered where anyone may. */
  readonly vouchedHow: Vouching | null;
  /** The person, or the enrolment token's name; `null`: not known. */
  readonly vouchedBy: string | null;
  readonly vouchedAt: number | null;
  /** As what it was vouched for: nobody vouched for a device that claims another type since. */
  readonly vouchedType: string | null;
  /** The token that the device has used: from then on it must. */
  readonly tokenHash: string | null;
  /** Tokens that were given out and not used so far, newest first: an answer may have been lost. */
  readonly issued: readonly IssuedToken[];
  /** The operator asked for a new token; it is given out with the next check. */
  readonly isRotating: boolean;
  /** Seconds between the device's checks, as it says itself; `null`: it does not say. */
  readonly intervalSeconds: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What decides whether a rollout counts a device (devices/vouching.ts). */
export type JudgedIdentity = Pick<DeviceIdentity, "state" | "deviceType" | "vouchedType" | "typeSince">;

export interface IssuedToken {
  readonly hash: string;
  readonly at: number;
}

/** Its holder may register devices. */
export interface EnrolmentToken {
  readonly id: number;
  readonly name: string;
  readonly hash: string;
  /** Only of this type; `null`: of any. */
  readonly deviceType: string | null;
  /** How many devices it may register; `null`: any number. */
  readonly maxUseCount: number | null;
  readonly useCount: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export type NewEnrolmentToken = Omit<EnrolmentToken, "id" | "useCount" | "revokedAt">;

/** Who may register, and whether devices need tokens. */
export interface RegistrationPolicy {
  /** Of this type; `*`: of every type that has none of its own. */
  readonly deviceType: string;
  /** `open`: any device. `enrolment`: with an enrolment token. `approval`: any device, but it gets nothing before a person approves it. */
  readonly registration: "open" | "enrolment" | "approval";
  /**
   * `optional`: devices without tokens are served, always. `first-use`: until they have used theirs. `required`: only those that
   * can keep one.
   */
  readonly tokens: "optional" | "first-use" | "required";
}

export interface DeviceIdentityStore {
  putIdentity(identity: DeviceIdentity): Promise<void>;
  findIdentity(deviceId: string): Promise<DeviceIdentity | undefined>;
  /** Of these devices, in no order. */
  findIdentities(deviceIds: readonly string[]): Promise<readonly DeviceIdentity[]>;
  /** By id. */
  listIdentities(
    filter: { readonly state?: DeviceState; readonly deviceTypes?: readonly string[] },
    page: Page,
  ): Promise<Paged<DeviceIdentity>>;

  /** Approved devices that nobody vouched for, of each type that has any. */
  countUnvouched(): Promise<ReadonlyMap<string, number>>;

  addEnrolmentToken(token: NewEnrolmentToken): Promise<EnrolmentToken>;
  findEnrolmentToken(hash: string): Promise<EnrolmentToken | undefined>;
  /** Newest first. */
  listEnrolmentTokens(): Promise<readonly EnrolmentToken[]>;
  changeEnrolmentToken(
    id: number,
    changes: Partial<Pick<EnrolmentToken, "useCount" | "revokedAt">>,
  ): Promise<EnrolmentToken | undefined>;

  putPolicy(policy: RegistrationPolicy): Promise<void>;
  /** Of these types, in no order. */
  findPolicies(deviceTypes: readonly string[]): Promise<readonly RegistrationPolicy[]>;
  removePolicy(deviceType: string): Promise<void>;
  listPolicies(): Promise<readonly RegistrationPolicy[]>;
}
