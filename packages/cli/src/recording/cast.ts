/** One event of an asciicast v3: seconds since the one before, what kind, its text. */
export interface CastEvent {
  readonly interval: number;
  readonly code: string;
  readonly data: string;
}

export interface Cast {
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly events: readonly CastEvent[];
}

/** @returns undefined when the text is no asciicast v3. A line cut short by a crash is left out. */
export function readCast(text: string): Cast | undefined {
  const [first = '', ...rest] = text.split('\n');
  const header = parse(first) as { version?: unknown; title?: unknown; term?: Size } | undefined;
  if (header?.version !== 3) return undefined;
  const events = rest.flatMap((line) => {
    const value = line.startsWith('[') ? parse(line) : undefined;
    if (!Array.isArray(value)) return [];
    const [interval, code, data] = value as unknown[];
    const isEvent =
      typeof interval === 'number' && typeof code === 'string' && typeof data === 'string';
    return isEvent ? [{ interval: Math.max(0, interval), code, data }] : [];
  });
  const { cols, rows } = header.term ?? {};
  return {
    title: typeof header.title === 'string' ? header.title : '',
    columns: typeof cols === 'number' ? cols : 80,
    rows: typeof rows === 'number' ? rows : 24,
    events,
  };
}

interface Size {
  readonly cols?: unknown;
  readonly rows?: unknown;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
