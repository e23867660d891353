// Why a connection by TLS has failed: the codes of native/skyslot-tls.c in the words of a report. Pure.
//
//   code                what it means                                              what helps
//   TLS_UNTRUSTED       no authority that the device trusts has signed it          the server's certificate, or the owner's own authority
//   TLS_WRONG_HOST      the certificate is for another name                        the server's certificate, or its address
//   TLS_EXPIRED         it was over before the device's floor of time              a new certificate
//   TLS_NOT_YET_VALID   it begins after the time that a server has said last       waiting: the time is forgotten, and the next try is without
//   TLS_REFUSED         the server has ended it with an alert                      the server's settings
//   TLS_NO_MEMORY       the chip had too little memory for it                      waiting
//   TLS_FAILED          anything else: no TLS 1.2, or somebody changed bytes       the address and its port

import type { Failure, TlsErrorCode } from "../errors.js";

/** By the results of skyslot_tls. */
const CODES: Readonly<Record<number, TlsErrorCode>> = Object.freeze({
  [-10]: "TLS_UNTRUSTED",
  [-11]: "TLS_WRONG_HOST",
  [-12]: "TLS_EXPIRED",
  [-13]: "TLS_NOT_YET_VALID",
  [-14]: "TLS_REFUSED",
  [-15]: "TLS_NO_MEMORY",
});

/** The rest of a sentence about the host. */
const WORDS: Readonly<Record<TlsErrorCode, string>> = Object.freeze({
  TLS_UNTRUSTED:
    "has a certificate that is not signed by an authority that this device trusts: give the device that authority, in its build or on its page",
  TLS_WRONG_HOST: "has a certificate for another name: its certificate has to name it as the device calls it",
  TLS_EXPIRED: "has a certificate that has expired: it needs a new one",
  TLS_NOT_YET_VALID: "has a certificate that is not valid yet, by the time that a server has said",
  TLS_REFUSED: "has refused the TLS connection",
  TLS_NO_MEMORY: "was not asked, because too little memory is free for TLS: the device tries again",
  TLS_FAILED: "does not speak TLS 1.2 here, or the connection was disturbed",
});

/**
 * @param result of skyslot_tls, below 0
 * @param detail an alert for TLS_REFUSED, else flags of certificates or an error of mbedTLS; 0: none
 */
export function tlsFailure(result: number, detail: number, host: string): Failure<TlsErrorCode> {
  const code = CODES[result] ?? "TLS_FAILED";
  const number = detail < 0 ? ` (-0x${(-detail).toString(16)})` : "";
  const more = code === "TLS_REFUSED" ? ` (alert ${detail})` : number;
  return { code, message: `${host} ${WORDS[code]}${more}` };
}
