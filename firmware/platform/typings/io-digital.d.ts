// modules/io/digital (outputs only).

declare module "embedded:io/digital" {
  interface Options {
    /** GPIO number. Throws if there is no such output or it is in use. */
    readonly pin: number;
    readonly mode: number;
    /** 1 then means the low level. */
    readonly activeLow?: boolean;
    readonly initialValue?: 0 | 1;
  }

  export default class Digital {
    static readonly Output: number;
    static readonly OutputOpenDrain: number;
    constructor(options: Options);
    write(value: 0 | 1): void;
    close(): void;
  }
}
