const MAX_SEQUENCE = 64;

/** Finals of CSI sequences that move, draw, clear or scroll; nothing that asks or sets up input. */
const DRAWS = /^[0-9;:]*[@A-HJKLMPSTXZ`abd-gmrsu]$/;
/** Modes (h, l): wrap, origin, cursor blink and shape, the alternate screen, insert. */
const MODES = /^(\?(6|7|12|25|47|104[789])|4|20)[hl]$/;
/** Two-character escapes: cursor, index, tab stop, keypad; character sets ASCII and lines. */
const ESCAPES = /^([78DEHM=>]|[()*+][0AB])$/;

type State = 'text' | 'escape' | 'sequence' | 'string' | 'string-escape';

/**
 * Lets only what draws on a screen through: text, cursor moves, colours. What would speak
 * to the terminal itself is left out: clipboard, titles, links, mouse, questions whose
 * answers would be typed into the shell of whoever looks on.
 */
export class ScreenOnly {
  private state: State = 'text';
  private pending = '';

  /** A sequence may begin in one chunk and end in the next. */
  feed(chunk: string): string {
    let out = '';
    for (const character of chunk) out += this.take(character);
    return out;
  }

  private take(c: string): string {
    switch (this.state) {
      case 'text':
        return this.text(c);
      case 'escape':
        return this.escape(c);
      case 'sequence':
        return this.sequence(c);
      case 'string':
        if (c === '\u001b') this.state = 'string-escape';
        else if (c === '\u0007' || c === '\u009c' || c === '\u0018' || c === '\u001a')
          this.state = 'text';
        return '';
      case 'string-escape':
        // ST is ESC \; any other escape ends the string as well, and is left out with it.
        this.state = 'text';
        return c === '\\' ? '' : this.escape(c);
    }
  }

  private text(c: string): string {
    if (c === '\u001b') return this.enter('escape');
    if (c === '\u009b') return this.enter('sequence');
    if (/[\u0090\u0098\u009d\u009e\u009f]/.test(c)) return this.enter('string');
    return /[\b\t\n\v\f\r\u000e\u000f\u0020-\u007e]|[^\u0000-\u009f]/.test(c) ? c : '';
  }

  private escape(c: string): string {
    if (this.pending === '' && c === '[') return this.enter('sequence');
    if (this.pending === '' && /[P\]X^_]/.test(c)) return this.enter('string');
    if (c === '\u001b') return this.enter('escape');
    this.pending += c;
    // Intermediate bytes (ECMA-48 §13.1) come before the final one.
    if (/[\u0020-\u002f]/.test(c) && this.pending.length < 3) {
      this.state = 'escape';
      return '';
    }
    return this.leave('\u001b', ESCAPES);
  }

  private sequence(c: string): string {
    if (c === '\u001b') return this.enter('escape');
    this.pending += c;
    if (/[\u0040-\u007e]/.test(c)) return this.leave('\u001b[', DRAWS, MODES);
    if (!/[\u0020-\u003f]/.test(c) || this.pending.length > MAX_SEQUENCE) return this.enter('text');
    return '';
  }

  private enter(state: State): string {
    this.state = state;
    this.pending = '';
    return '';
  }

  private leave(start: string, ...allowed: readonly RegExp[]): string {
    const whole = this.pending;
    this.enter('text');
    return allowed.some((pattern) => pattern.test(whole)) ? start + whole : '';
  }
}

/** The text alone, in lines; every control and escape sequence left out. */
export function plainText(chunks: readonly string[]): string {
  const screen = new ScreenOnly();
  return chunks
    .map((chunk) => screen.feed(chunk))
    .join('')
    .replace(/\u001b(\[[0-9;:?]*[@-~]|[()*+][0AB]|[78DEHM=>])/g, '')
    .replace(/\r+\n/g, '\n')
    .replace(/\r/g, '\n')
    .replace(/[^\t\n\u0020-\u007e\u00a0-\u{10ffff}]/gu, '');
}
