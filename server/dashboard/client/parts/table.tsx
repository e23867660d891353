// A table, described by its columns. It scrolls sideways where it is wider than the page.

import type { ComponentChildren } from "preact";
import { useReach } from "./reach.js";

/** Heading, cell, and class of the cell. Without a heading: actions. */
export type Column<Row> = readonly [
  heading: ComponentChildren,
  cell: (row: Row, index: number) => ComponentChildren,
  className?: string,
];

interface TableProps<Row> {
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row, index: number) => string | number;
  readonly columns: readonly Column<Row>[];
  /** Index of the column that names the row. */
  readonly namedBy?: number;
  readonly class?: string;
  /** Below the rows. */
  readonly children?: ComponentChildren;
}

export const Table = <Row,>(props: TableProps<Row>) => {
  const { box, tabIndex } = useReach();
  return (
    <div ref={box} class={`table ${props.class ?? "card"}`} tabIndex={tabIndex}>
      <table>
        <thead>
          <tr>
            {props.columns.map(([heading], at) => (
              <th key={at} scope="col">
                {heading || <span class="hidden">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, index) => (
            <tr key={props.keyOf(row, index)}>
              {props.columns.map(([, cell, name], at) =>
                at === (props.namedBy ?? 0) ? (
                  <th key={at} scope="row" class={name}>
                    {cell(row, index)}
                  </th>
                ) : (
                  <td key={at} class={name}>
                    {cell(row, index)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {props.children}
    </div>
  );
};
