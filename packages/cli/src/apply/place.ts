import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter } from 'yaml';

/** Where the values of one document stand in its file. */
export class Place {
  private readonly file: string;
  private readonly document: Document.Parsed;
  private readonly counter: LineCounter;

  constructor(file: string, document: Document.Parsed, counter: LineCounter) {
    this.file = file;
    this.document = document;
    this.counter = counter;
  }

  atOffset(offset: number): string {
    const { line, col } = this.counter.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }

  /** `file:line:column` of a value's key, else of the value, else of what it is missing in. */
  at(path: readonly (string | number)[]): string {
    let node: unknown = this.document.contents;
    let offset = this.document.contents?.range?.[0] ?? this.document.range?.[0] ?? 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (pair === undefined) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return this.atOffset(offset);
  }
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
