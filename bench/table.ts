/** Middle value and spread of repeated measurements. */
export interface Measured {
  readonly median: number;
  readonly p99: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.round((sorted.length - 1) * q)] ?? Number.NaN;
  return {
    median: at(0.5),
    p99: at(0.99),
    low: at(0.25),
    high: at(0.75),
    count: sorted.length,
  };
}

/** `median (quartile–quartile)`. */
export const spread = (m: Measured, digits = 0): string =>
  `${number(m.median, digits)} (${number(m.low, digits)}–${number(m.high, digits)})`;

export const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** What a ratio is to be, and whether it is. Nothing is asserted: the machine is shared. */
export function bar(value: number, is: 'at least' | 'at most', limit: number, unit = '×'): string {
  const met = is === 'at least' ? value >= limit : value <= limit;
  return `${is} ${limit} ${unit}: ${met ? 'met' : 'MISSED'}`;
}

/** A Markdown table with columns as wide as they need to be. */
export function printTable(
  heading: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`;
  console.log(`\n${heading}`);
  console.log(line(columns));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) console.log(line(row));
}
