// Rows of fields that can be added and removed, such as the stages of a rollout.

import type { ComponentChildren } from "preact";
import { Button } from "../parts/button.js";

/** Limit of the server, for stages and for windows. */
const MAX_ROW_COUNT = 20;

interface RowFormsProps<Row> {
  /** Of one row, such as `Stage`. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly fresh: () => Row;
  readonly isFixed?: (index: number) => boolean;
  readonly onChange: (rows: readonly Row[]) => void;
  /** The fields of a row. */
  readonly children: (row: Row, index: number, change: (changes: Partial<Row>) => void) => ComponentChildren;
  /** Below the rows. */
  readonly footer?: ComponentChildren;
}

export const RowForms = <Row extends object>(props: RowFormsProps<Row>) => (
  <>
    <ol class="stage-forms">
      {props.rows.map((row, index) => (
        <li key={index} class="fields" aria-label={`${props.name} ${index + 1}`}>
          {props.children(row, index, (changes) =>
            props.onChange(props.rows.map((each, at) => (at === index ? { ...each, ...changes } : each))),
          )}
          <Button
            isDisabled={props.isFixed?.(index) ?? false}
            label={`Remove ${props.name.toLowerCase()} ${index + 1}`}
            onClick={() => props.onChange(props.rows.filter((_, at) => at !== index))}
          >
            Remove
          </Button>
        </li>
      ))}
    </ol>
    {props.footer}
    <Button
      isDisabled={props.rows.length >= MAX_ROW_COUNT}
      onClick={() => props.onChange([...props.rows, props.fresh()])}
    >
      Add a {props.name.toLowerCase()}
    </Button>
  </>
);
