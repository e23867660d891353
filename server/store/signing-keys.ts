// The keys that access tokens are signed with. They are in the database because all processes on it must have them.

export interface SigningKey {
  /** Names the key in a token's header. */
  readonly kid: string;
  /** Private JWK, JSON. */
  readonly privateKey: string;
  readonly createdAt: number;
}

export interface SigningKeyStore {
  addSigningKey(key: SigningKey): Promise<void>;
  /** Newest first. */
  listSigningKeys(): Promise<readonly SigningKey[]>;
  removeSigningKeys(createdBefore: number): Promise<void>;
}
