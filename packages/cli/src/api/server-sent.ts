export interface ServerSentEvent {
  readonly name: string;
  readonly data: string;
}

const MAX_EVENT = 1024 * 1024;

/**
 * Reads `text/event-stream` as the HTML standard §9.2.6 says, without ids and retry times.
 * @throws RangeError when an event does not end within a mebibyte.
 */
export async function* eventsOf(chunks: AsyncIterable<string>): AsyncIterable<ServerSentEvent> {
  let rest = '';
  let name = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    rest += chunk;
    // A CR at the end may be the first half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { name: name || 'message', data: data.join('\n') };
        name = '';
        data = [];
        continue;
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'event') name = value;
      if (field === 'data') data.push(value);
    }
    if (rest.length + data.join('').length > MAX_EVENT) throw new RangeError('event too large');
  }
}
