export interface Column<Row> {
  readonly name: string;
  value(row: Row): string;
  /** Shown only when `--columns` names it. */
  readonly hidden?: true;
}

export interface TableView<T, Row = unknown> {
  readonly kind: 'table';
  rows(data: T): readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** Said on stderr in place of an empty table. */
  readonly empty: string;
}

export interface FieldsView<T> {
  readonly kind: 'fields';
  /** Names and values; a value of several lines is indented. */
  fields(data: T): readonly (readonly [string, string])[];
}

export interface LinesView<T> {
  readonly kind: 'lines';
  lines(data: T): readonly string[];
}

/** How data is shown to people. With `-o json` the data itself is printed. */
export type View<T> = TableView<T> | FieldsView<T> | LinesView<T>;

/** A list as a table, its items as they are. */
export const table = <Row>(
  columns: readonly Column<Row>[],
  empty: string,
): TableView<readonly Row[], Row> => ({ kind: 'table', rows: (data) => data, columns, empty });

export const fields = <T>(of: FieldsView<T>['fields']): FieldsView<T> => ({
  kind: 'fields',
  fields: of,
});

export const lines = <T>(of: LinesView<T>['lines']): LinesView<T> => ({ kind: 'lines', lines: of });
