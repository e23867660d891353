// An image by radio: what a block's sender and its receivers must not do.

import type { Mutation } from "./mutation.js";

const RADIO = "firmware/core/radio";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "a part is written again where it has been written",
    file: `${RADIO}/block-code.ts`,
    original: "part >= decoder.partCount || isKnown(decoder, part)) return false;",
    mutated: "part >= decoder.partCount) return false;",
  },
  {
    what: "an equation keeps a part that has arrived by itself",
    file: `${RADIO}/block-code.ts`,
    original: "      giveOwnPart(decoder, row);\n",
    mutated: "",
  },
  {
    what: "two equations have the same unknown",
    file: `${RADIO}/block-code.ts`,
    original: "if (other !== row && hasPart(words, wordsOf(other), own)) addRow(words, wordsOf(other), at);",
    mutated: "",
  },
  {
    what: "the place of a parity that tells nothing any more stays taken",
    file: `${RADIO}/block-code.ts`,
    original: "  decoder.taken &= ~place;\n",
    mutated: "",
  },
  {
    what: "a part of another length is taken",
    file: `${RADIO}/block-frames.ts`,
    original: "  if (sizeBytes !== partLength(blockLength(imageBytes, block), part)) return undefined;\n",
    mutated: "",
  },
  {
    what: "a block that the image does not have is believed",
    file: `${RADIO}/block-frames.ts`,
    original: "&& block < blockCountOf(imageBytes);",
    mutated: ";",
  },
  {
    what: "any sender's parts are taken",
    file: `${RADIO}/block-receiver.ts`,
    original: "event.from === state.order.gateway\n",
    mutated: "event.from !== ''\n",
  },
  {
    what: "a part is written into flash that is not erased",
    file: `${RADIO}/block-receiver.ts`,
    original: "for (; erasedTo < end; erasedTo += SECTOR_BYTES) {",
    mutated: "for (; erasedTo + SECTOR_BYTES < end; erasedTo += SECTOR_BYTES) {",
  },
  {
    what: "a block counts as stored before the flash has confirmed it",
    file: `${RADIO}/block-receiver.ts`,
    original: "return state.unwrittenCount > 0 ? [state, effects] : stored(state, effects);",
    mutated: "return stored(state, effects);",
  },
  {
    what: "everybody answers, whatever others have said",
    file: `${RADIO}/block-status.ts`,
    original: "const isSpeaking = !turn.isSaid;",
    mutated: "const isSpeaking = true;",
  },
  {
    what: "a device that hears nothing is answered for ever",
    file: `${RADIO}/block-demand.ts`,
    original: "vainCount >= MAX_VAIN;",
    mutated: "vainCount < 0;",
  },
  {
    what: "the table of devices that have spoken has no bound",
    file: `${RADIO}/block-demand.ts`,
    original: "others.length < MAX_ASKERS ? others : withoutOldest(others)",
    mutated: "others",
  },
  {
    what: "the whole block is sent again to a device that lacks little",
    file: `${RADIO}/block-sender.ts`,
    original: "if (lacking === partCount || !isAvailable",
    mutated: "if (lacking > 0 || !isAvailable",
  },
  {
    what: "a latecomer waits for the image's first block instead of taking what is sent",
    file: `${RADIO}/block-receiver.ts`,
    original:
      "return isUntouched ? !isNext || ahead.every((word) => word === 0) : data.block > block + CATCH_UP;",
    mutated: "return false;",
  },
  {
    what: "a block that comes round is written over what is there",
    file: `${RADIO}/block-receiver.ts`,
    original: "const erasedTo = isNext ? state.erasedTo : block * BLOCK_BYTES;",
    mutated: "const erasedTo = state.erasedTo;",
  },
  {
    what: "a latecomer has the whole image sent once more",
    file: `${RADIO}/block-sender.ts`,
    original: "Math.max(state.lateEnd, Math.min(endBlock, state.block + 1))",
    mutated: "Math.max(state.lateEnd, endBlock)",
  },
];
