// Statements that are compiled once for each kind of database: to build and compile one with Kysely takes longer than to run it. What is
// said again and again with other values, such as by every check, has a name here; a statement is built with slots in the place of values.

import type { CompiledQuery, DialectAdapter, Kysely } from "kysely";
import type { Tables } from "./tables.js";

type Values = Readonly<Record<string, unknown>>;
/** The same names, each with what stands for its value while the statement is built. */
type Slots<Given> = { readonly [Name in keyof Given]: Given[Name] };

interface Compilable {
  compile(): CompiledQuery;
}

interface Statement {
  readonly compiled: CompiledQuery;
  /** One for each parameter. */
  readonly parameters: readonly unknown[];
}

const statements = new WeakMap<DialectAdapter, Map<string, Statement>>();

/** Stands for a value. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * @param name of the statement: another for each text
 * @param build is called once, with slots instead of the values. A value that decides about the text, such as `null` in a condition,
 *   belongs into the name.
 */
export async function runStatement<Given extends Values, Row = Record<string, unknown>>(
  db: Kysely<Tables>,
  name: string,
  values: Given,
  build: (slots: Slots<Given>) => Compilable,
): Promise<readonly Row[]> {
  const { compiled, parameters: slots } = find(db, name, () => prepare(values, build));
  const parameters = slots.map((one) => (one instanceof Slot ? values[one.name] : one));
  const { rows } = await db.executeQuery({ ...compiled, parameters });
  return rows as readonly Row[];
}

function find(db: Kysely<Tables>, name: string, make: () => Statement): Statement {
  const { adapter } = db.getExecutor();
  const known = statements.get(adapter) ?? new Map<string, Statement>();
  statements.set(adapter, known);
  const statement = known.get(name) ?? make();
  known.set(name, statement);
  return statement;
}

function prepare<Given extends Values>(values: Given, build: (slots: Slots<Given>) => Compilable): Statement {
  const slots = Object.fromEntries(Object.keys(values).map((name) => [name, new Slot(name)]));
  const compiled = build(slots as unknown as Slots<Given>).compile();
  return { compiled, parameters: compiled.parameters };
}
