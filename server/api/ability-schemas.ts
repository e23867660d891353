// What devices say that they can be ordered to do, as they send it and as clients see it.

import { type Static, Type } from "@sinclair/typebox";
import type { Field as SettingField } from "../../firmware/core/section.js";
import { type AbilitiesRequest, MAX_TOLD_FIELD_COUNT } from "../../firmware/core/wire.js";
import { defined } from "../shared/defined.js";
import { dateTime, integer, list, named } from "./fields.js";
import { DeviceId, literals, Text } from "./schemas.js";

const MAX_OPTION_COUNT = 64;
const MAX_ORDER_KIND_COUNT = 16;

const Value = Type.Union([Text(1000), Type.Number(), Type.Boolean()]);
const fieldNames = {
  name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9]{0,31}$" }),
  label: Text(100),
  hint: Type.Optional(Text(300)),
};
const number = {
  least: Type.Number(),
  most: Type.Number(),
  step: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "absent: whole numbers" })),
};
const most = Type.Integer({ minimum: 0, maximum: 1000, description: "characters" });
const Field = Type.Union([
  Type.Object({
    ...fieldNames,
    type: Type.Literal("choice"),
    options: Type.Array(Type.Array(Value, { minItems: 1, maxItems: 2 }), {
      maxItems: MAX_OPTION_COUNT,
      description: "value and label; only the value if they are the same",
    }),
  }),
  Type.Object({ ...fieldNames, type: literals(["number", "slider"]), ...number }),
  Type.Object({ ...fieldNames, type: literals(["switch", "colour"]) }),
  Type.Object({
    ...fieldNames,
    type: literals(["text", "url"]),
    most,
    scheme: Type.Optional(Type.Literal("mqtt")),
    without: Type.Optional(Text(32)),
  }),
]);
const orders = Type.Array(Text(32), { maxItems: MAX_ORDER_KIND_COUNT, description: "kinds of order" });
const fields = Type.Array(Field, {
  maxItems: MAX_TOLD_FIELD_COUNT,
  description: "settings that a server may change, without secrets",
});
const values = Type.Record(Type.String({ pattern: "^[A-Za-z][A-Za-z0-9]{0,31}$" }), Value, {
  description: "the present value of each",
});

export const AbilitiesBody = Type.Object({
  device_id: DeviceId,
  digest: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$", description: "as in its checks" }),
  orders,
  fields,
  values,
});

/** Without what a newer device may say besides. */
export function readAbilities(body: Static<typeof AbilitiesBody>): AbilitiesRequest {
  const { device_id, digest } = body;
  const known = body.fields.map((field) => {
    const { name, label, hint } = field;
    return { name, label, ...defined({ hint }), ...limitsOf(field) };
  });
  return {
    ...{ device_id, digest, orders: body.orders, values: body.values },
    fields: known as unknown as AbilitiesRequest["fields"],
  };
}

function limitsOf(field: Static<typeof Field>) {
  switch (field.type) {
    case "choice":
      return { type: field.type, options: field.options };
    case "number":
    case "slider":
      return { type: field.type, least: field.least, most: field.most, ...defined({ step: field.step }) };
    case "switch":
    case "colour":
      return { type: field.type };
    case "text":
    case "url": {
      const { type, most, scheme, without } = field;
      return { type, most, ...defined({ scheme, without }) };
    }
  }
}

const told = {
  orders: list(Type.String(), "Kinds of order"),
  fields: list(Type.Unsafe<SettingField>(Field), "Settings"),
};
export const AbilitiesView = named("Abilities", "What a device can be ordered to do, in its own words", {
  ...told,
  values: Type.Record(Type.String(), Value, { description: "Present values of the settings" }),
  told_at: dateTime(),
});
export type AbilitiesView = Static<typeof AbilitiesView>;
export const AbilityCountView = named("AbilityCount", "What some devices can be ordered to do", {
  ...told,
  device_count: integer(),
});
export type AbilityCountView = Static<typeof AbilityCountView>;
