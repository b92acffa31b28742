import { type ApprovalCard, printable } from '@postern/shared';
import { widthOf } from './render.ts';

export interface Row {
  readonly label: string;
  readonly lines: readonly string[];
}

/** A label that is longer stands in a line of its own. */
const WIDEST_LABEL = 24;
const NARROWEST = 40;

/**
 * The card of a request as lines for a terminal of that width. Who wrote a text decides
 * nothing of its place: what is too long goes on under its own column, so that no line
 * but a label of ours, or a question of the request type, begins at the left.
 */
export const cardLines = (card: ApprovalCard, width?: number): readonly string[] => [
  ...wrapped(printable(card.title), Math.max(width ?? Number.POSITIVE_INFINITY, NARROWEST)),
  '',
  ...rowLines(card.rows, width),
];

/** Labels on the left, their lines in a column on the right. */
export function rowLines(rows: readonly Row[], width?: number): readonly string[] {
  const labels = rows.map((row) => printable(row.label));
  const short = labels.map(widthOf).filter((w) => w <= WIDEST_LABEL);
  const indent = Math.max(0, ...short) + 2;
  const room = Math.max(width ?? Number.POSITIVE_INFINITY, NARROWEST);
  return rows.flatMap(({ lines }, i) => {
    const label = labels[i] ?? '';
    const shown = lines.flatMap((line) => wrapped(printable(line), room - indent));
    const under = shown.map((line) => `${' '.repeat(indent)}${line}`.trimEnd());
    if (widthOf(label) > WIDEST_LABEL || shown.length === 0)
      return [...wrapped(label, room), ...under];
    const [first = '', ...rest] = shown;
    const padding = ' '.repeat(indent - widthOf(label));
    return [`${label}${padding}${first}`.trimEnd(), ...under.slice(under.length - rest.length)];
  });
}

/** One line of text as lines of at most `room` columns: between words where that is possible. */
function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((w) => pieces(w, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** A word that does not fit into a line, cut where the line ends. */
function pieces(word: string, room: number): readonly string[] {
  if (widthOf(word) <= room) return [word];
  const found: string[] = [];
  let piece = '';
  for (const character of word) {
    if (widthOf(piece + character) > room) {
      found.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...found, piece];
}
