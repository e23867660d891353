// What is asked before a device type's rules change: what that means for its devices, with their number. Pure.

import { plural } from "../format.js";
import type { Question } from "../parts/question.js";

type Words = Pick<Question, "title" | "what" | "confirmName" | "isDangerous">;

/** What the rules are for. */
interface RuledType {
  /** As in a sentence: `led`, or `all other types`. */
  readonly name: string;
  /** Its devices now. */
  readonly deviceCount: number;
}

type Wording = (type: RuledType, devices: string) => Words;

const KIND: Readonly<Record<string, Wording>> = {
  legacy: ({ name }, devices) => ({
    title: `Accept unsigned firmware for ${name}?`,
    what: `${devices}: this server will then offer them firmware that nobody has signed. Whoever controls this server controls every device that does not check signatures itself.`,
    confirmName: "Accept unsigned firmware",
    isDangerous: true,
  }),
  signed: ({ name }, devices) => ({
    title: `Require signatures for ${name}?`,
    what: `${devices}: releases without a signature are no longer offered to them.`,
    confirmName: "Require signatures",
  }),
};

const REGISTRATION: Readonly<Record<string, Wording>> = {
  open: ({ name }, devices) => ({
    title: `Let anyone register devices of ${name}?`,
    what: `Whoever reaches this server can then register a device, which is offered updates. ${devices} now.`,
    confirmName: "Let anyone register",
    isDangerous: true,
  }),
  enrolment: ({ name }, devices) => ({
    title: `Require enrolment tokens for ${name}?`,
    what: `A new device is refused unless it shows an enrolment token. ${devices} now: they stay registered.`,
    confirmName: "Require enrolment tokens",
  }),
  approval: ({ name }, devices) => ({
    title: `Require approval for ${name}?`,
    what: `A new device waits until an operator approves it. ${devices} now: they stay approved.`,
    confirmName: "Require approval",
  }),
};

const TOKENS: Readonly<Record<string, Wording>> = {
  optional: ({ name }, devices) => ({
    title: `Ask devices of ${name} for no tokens?`,
    what: `${devices}: whoever knows a device's id can then report in its name.`,
    confirmName: "Ask for no tokens",
    isDangerous: true,
  }),
  "first-use": ({ name }, devices) => ({
    title: `Ask devices of ${name} for the token that they have used?`,
    what: `${devices}: one that has never used its own token may go on without it.`,
    confirmName: "Ask for used tokens",
  }),
  required: ({ name }, devices) => ({
    title: `Refuse devices of ${name} without a token?`,
    what: `${devices}: those that keep no token of their own are then refused, and get no updates.`,
    confirmName: "Refuse devices without a token",
    isDangerous: true,
  }),
};

const WORDINGS = { kind: KIND, registration: REGISTRATION, tokens: TOKENS } as const;

/** @param rule what changes; its choices are those of the API */
export function askOfType(rule: keyof typeof WORDINGS, value: string, type: RuledType): Words {
  const wording = WORDINGS[rule][value];
  const devices = `${plural(type.deviceCount, "device")} of ${type.name === OTHERS ? "these types" : "this type"}`;
  return wording
    ? wording(type, devices)
    : { title: `Change ${type.name}?`, what: devices, confirmName: "Change" };
}

/** How the types without rules of their own are called in a sentence. */
export const OTHERS = "all other types";
