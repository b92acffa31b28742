import { printable } from '@postern/shared';
import { usage } from '../failure.ts';
import type { Column, TableView, View } from './view.ts';

export type Format = 'default' | 'json' | 'describe';

export interface Rendered {
  /** For stdout. Each is printable, and has no line end. */
  readonly out: readonly string[];
  /** For stderr. */
  readonly err: readonly string[];
}

/** The only place that turns data into text. */
export function render<T>(
  view: View<T> | undefined,
  data: T,
  format: Format,
  columns?: string,
): Rendered {
  if (format === 'json') return { out: data === undefined ? [] : json(data), err: [] };
  if (view === undefined || data === undefined) return { out: [], err: [] };
  if (view.kind === 'lines') return out(view.lines(data).map(printable));
  if (view.kind === 'fields') return out(fieldLines(view.fields(data)));
  const rows = view.rows(data);
  const shown = chosen(view.columns, columns);
  if (rows.length === 0) return { out: [], err: [printable(view.empty)] };
  if (format === 'describe') return out(described(view, rows));
  return out(tableLines(shown, rows));
}

/** Lines of JSON whose every character a terminal shows as text, and every parser reads as it was. */
export const json = (data: unknown): string[] =>
  JSON.stringify(data, null, 2)
    .split('\n')
    .map((line) => line.replace(/./gsu, escaped));

function escaped(character: string): string {
  if (printable(character) === character) return character;
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}

const out = (lines: readonly string[]): Rendered => ({ out: lines, err: [] });

function chosen<Row>(all: readonly Column<Row>[], names: string | undefined) {
  if (names === undefined) return all.filter((column) => column.hidden !== true);
  return names.split(',').map((name) => {
    const column = all.find((c) => c.name === name.trim().toUpperCase());
    if (column !== undefined) return column;
    const known = all.map((c) => c.name).join(', ');
    throw usage(`There is no column ${name.trim()}.`, `Pass --columns with some of ${known}.`);
  });
}

function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map((column) => column.name),
    ...rows.map((row) => columns.map((column) => printable(column.value(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => widthOf(line[i] ?? ''))));
  return cells.map((line) =>
    line
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

/** In terminal columns: wide characters of East Asia and emoji are two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}|\p{Me}/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

function fieldLines(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => widthOf(name)));
  return pairs.flatMap(([name, value]) => {
    const [first = '', ...more] = value.split('\n').map(printable);
    const indent = ' '.repeat(width + 3);
    const label = `${printable(name)}:`.padEnd(width + 1);
    return [`${label}  ${first}`.trimEnd(), ...more.map((line) => `${indent}${line}`)];
  });
}

function described<T>(view: TableView<T>, rows: readonly unknown[]): string[] {
  return rows.flatMap((row, i) => [
    ...(i === 0 ? [] : ['']),
    ...fieldLines(view.columns.map((column) => [column.name, column.value(row)] as const)),
  ]);
}
