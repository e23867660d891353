// What the store remembers of the tokens that programs use.

import type { Scope } from "../shared/permissions.js";

export interface ApiToken {
  readonly id: number;
  /** The owner. */
  readonly userId: number;
  /** Name of the person who made it, and knows it; `null`: an older version did not note it. */
  readonly madeBy: string | null;
  /** For people, such as `ci`. */
  readonly name: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** Device types that it may change; `null`: all. */
  readonly deviceTypes: readonly string[] | null;
  readonly createdAt: number;
  /** `null`: never. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export type NewApiToken = Omit<ApiToken, "id" | "lastUsedAt" | "revokedAt">;
type ApiTokenChanges = Partial<Pick<ApiToken, "lastUsedAt" | "revokedAt">>;

export interface ApiTokenStore {
  addApiToken(token: NewApiToken): Promise<ApiToken>;
  findApiToken(id: number): Promise<ApiToken | undefined>;
  findApiTokenByHash(hash: string): Promise<ApiToken | undefined>;
  /** Newest first; of one user, or of all. */
  listApiTokens(filter: { readonly userId?: number }): Promise<readonly ApiToken[]>;
  changeApiToken(id: number, changes: ApiTokenChanges): Promise<ApiToken | undefined>;
}
