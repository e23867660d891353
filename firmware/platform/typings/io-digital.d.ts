// modules/io/digital.

declare module "embedded:io/digital" {
  interface Options {
    /** GPIO number. Throws if there is no such pin, if it is in use, or cannot be an output. */
    readonly pin: number;
    readonly mode: number;
    /** 1 then means the low level, and a rising edge a falling one. */
    readonly activeLow?: boolean;
    readonly initialValue?: 0 | 1;
    /** Of an input, with onReadable: Rising, Falling, or both. */
    readonly edge?: number;
    /** After an edge. Edges that come before it has been called are one. */
    onReadable?(this: Digital): void;
  }

  class Digital {
    static readonly Input: number;
    static readonly InputPullUp: number;
    static readonly InputPullDown: number;
    static readonly Output: number;
    static readonly OutputOpenDrain: number;
    static readonly Rising: number;
    static readonly Falling: number;
    constructor(options: Options);
    /** Of an input. */
    read(): 0 | 1;
    /** Of an output. */
    write(value: 0 | 1): void;
    close(): void;
  }
  export default Digital;
}
