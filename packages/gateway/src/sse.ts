/** More than any event of the service; a stream that sends more without an end is broken. */
const MAX_EVENT = 64 * 1024;

/**
 * The `data` of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html),
 * as bytes come in. Comments and other fields are passed over.
 */
export class EventReader {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #data: string[] = [];
  #size = 0;

  /** @throws Error when an event is too large */
  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r\n|\n/);
    this.#rest = lines.pop() ?? '';
    const events = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length + this.#size > MAX_EVENT) throw new Error('an event is too large');
    return events;
  }

  #line(line: string): string[] {
    if (line === '') {
      const event = this.#data.join('\n');
      const had = this.#data.length > 0;
      this.#data = [];
      this.#size = 0;
      return had ? [event] : [];
    }
    if (line.startsWith('data:')) {
      const value = line.slice(line.startsWith('data: ') ? 6 : 5);
      this.#data.push(value);
      this.#size += value.length;
    }
    return [];
  }
}
