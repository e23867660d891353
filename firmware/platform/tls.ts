// What a TLS connection of this device is judged by: the authorities that it trusts, and its time. Opens sessions of native/skyslot-tls.c.

import config from "mc/config";
import type { Effect } from "../core/effect.js";
import { AUTHORITY_KEY, buildAuthorities } from "../core/settings/authority.js";
import type { Native } from "./native.js";
import { PUBLIC_AUTHORITIES } from "./public-authorities.js";
import type { Storage } from "./storage.js";

/** Operations of skyslot_tls. */
export const OPERATION = Object.freeze({
  trust: 0,
  receive: 1,
  send: 2,
  step: 3,
  read: 4,
  write: 5,
  end: 6,
  close: 7,
  detail: 8,
});

export class Tls {
  readonly native: Native;
  readonly #storage: Storage;
  readonly #startedAt = Date.now();
  #bootedAfter = 0;
  #toldBoot: number | undefined;

  constructor(native: Native, storage: Storage) {
    this.native = native;
    this.#storage = storage;
  }

  setTime({ bootedAfter, toldBoot }: Extract<Effect, { readonly type: "setTime" }>): void {
    this.#bootedAfter = bootedAfter;
    this.#toldBoot = toldBoot;
  }

  /** A session with a server of this name, which trusts what this device trusts. Below 0: why there is none. */
  open(host: string): number {
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1000);
    const told = this.#toldBoot === undefined ? 0 : this.#toldBoot + seconds;
    const session = this.native.skyslot_tls_open(host, this.#bootedAfter + seconds, told);
    if (session > 0) this.#trust(session);
    return session;
  }

  /** The owner's own authority alone, if there is one. One that cannot be read fails the session's next step. */
  #trust(session: number): void {
    const own = this.#storage.read(AUTHORITY_KEY);
    const authorities = own ? [own] : buildAuthorities(config.authorities, PUBLIC_AUTHORITIES);
    for (let i = 0; i < authorities.length; i++) {
      const text = ArrayBuffer.fromString(authorities[i] as string);
      this.native.skyslot_tls(session, OPERATION.trust, text, text.byteLength);
    }
  }
}
