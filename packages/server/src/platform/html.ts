import { printable, printableLines } from '@postern/shared';

/** Text that is HTML already. Only {@link html} and {@link lines} make it: it is no text that was sent. */
export class Html {
  readonly #text: string;
  constructor(text: string, key: symbol) {
    if (key !== KEY) throw new TypeError('made by html`…` only');
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}
const KEY = Symbol('html');

type Part = string | number | Html | readonly Html[] | null;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/**
 * HTML in which every text put in is text: escaped for content and for attribute values in
 * double quotes, without control, bidi and invisible characters. Nothing goes in unescaped
 * but HTML that came out of here.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Part[]): Html {
  const text = values.map((value, i) => textOf(value) + (parts[i + 1] ?? ''));
  return new Html((parts[0] ?? '') + text.join(''), KEY);
}

/** As a value of {@link html}, but its line breaks stay. */
export const lines = (text: string): Html => new Html(escaped(printableLines(text)), KEY);

function textOf(value: Part): string {
  if (value === null) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(textOf).join('');
  return escaped(printable(String(value)));
}
