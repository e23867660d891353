// TLS: which certificates a device takes, and what it never goes back from.

import type { Mutation } from "./mutation.js";

const chain = "host-sim/network/tls-chain.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "the name is not compared, so that every server of the authority can stand in for this one",
    file: chain,
    original: 'if (!isNamed(own, judgement.host)) return "wrong host";',
    mutated: "",
  },
  {
    what: "a server's certificate signs others",
    file: chain,
    original: "issuer.ca && isStrong(issuer) && one.checkIssued(issuer) &&",
    mutated: "one.issuer === issuer.subject &&",
  },
  {
    what: "the authority's name is enough, and its signature is not checked",
    file: chain,
    original: "one.checkIssued(issuer) && one.verify(issuer.publicKey)",
    mutated: "one.subject !== issuer.subject && one.issuer === issuer.subject",
  },
  {
    what: "a certificate that has expired counts",
    file: chain,
    original: "secondsOf(validTo) < judgement.earliest",
    mutated: "false",
  },
  {
    what: "a server's time makes a good certificate look old",
    file: chain,
    original: "secondsOf(validTo) < judgement.earliest",
    mutated: "secondsOf(validTo) < judgement.earliest + 90 * 86_400",
  },
  {
    what: "a device without a time refuses certificates that are newer than its firmware",
    file: chain,
    original: "judgement.told > 0 && path",
    mutated: "path",
  },
  {
    what: "a redirect leads from https to http",
    file: "firmware/core/http/redirect.ts",
    original: "base.ok && base.value.isSecure && !target.value.isSecure",
    mutated: "false",
  },
  {
    what: "a body that somebody has cut off counts as whole",
    file: "firmware/core/http/answer-reader.ts",
    original: "return isCut\n",
    mutated: "return false\n",
  },
];
