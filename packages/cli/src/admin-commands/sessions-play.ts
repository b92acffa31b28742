import { printableLines } from '@postern/shared';
import { command, Ended } from '../command.ts';
import type { World } from '../context.ts';
import { Failure, interrupted, usage } from '../failure.ts';
import { type Cast, readCast } from '../recording/cast.ts';
import { plainText, ScreenOnly } from '../recording/screen-only.ts';

export const sessionsPlay = command({
  summary: 'Play the recording of a session',
  help: [
    'In a terminal it is drawn as it was. A recording is full of escape sequences by nature:',
    'only those that draw are passed on; what would reach for the clipboard, the title, the',
    'mouse or the keyboard of your terminal is left out. Without a terminal its text is',
    'printed. Make the terminal as large as the one that was recorded. Ctrl-C ends it.',
  ].join('\n'),
  args: { id: { summary: 'the id of the session' } },
  flags: {
    speed: { value: 'N', summary: 'times as fast, e.g. 2 or 0.5; default 1' },
    idle: { value: 'SECONDS', summary: 'no pause longer than this; default 2' },
  },
  async run({ api, world, args: { id }, flags, say }) {
    const speed = numberOf('--speed', flags.speed ?? '1');
    const idle = numberOf('--idle', flags.idle ?? '2');
    const text = await (await api()).call('getRecording', { params: { id } });
    const cast = readCast(text);
    if (cast === undefined)
      throw new Failure(
        'recording_unavailable',
        'The recording is no asciicast v3.',
        'Tell your administrators which session it is.',
      );
    if (world.stdout.isTTY === true) {
      say(`${cast.title} (${cast.columns}x${cast.rows})`);
      await play(world, cast, { speed, idle });
    } else world.stdout.write(printableLines(plainText(outputOf(cast))));
    return new Ended(0);
  },
});

const outputOf = (cast: Cast): string[] =>
  cast.events.filter((e) => e.code === 'o').map((e) => e.data);

/** @throws Failure 130 on Ctrl-C; the terminal is put back either way. */
async function play(
  world: World,
  cast: Cast,
  { speed, idle }: { readonly speed: number; readonly idle: number },
): Promise<void> {
  const screen = new ScreenOnly();
  let isAlternate = false;
  try {
    for (const { interval, code, data } of cast.events) {
      await world.clock.sleep((Math.min(interval, idle) * 1000) / speed, world.interrupt);
      if (world.interrupt.aborted) throw interrupted('Stopped.', 'Play it again from the start.');
      if (code !== 'o') continue;
      const drawn = screen.feed(data);
      for (const [, mode] of drawn.matchAll(/\u001b\[\?(?:47|104[79])([hl])/g))
        isAlternate = mode === 'h';
      world.stdout.write(drawn);
    }
  } finally {
    // Colours, character set, wrap, scroll region and cursor as they are by default.
    world.stdout.write(
      `\u001b[m\u001b(B\u001b[?7h\u001b[?25h${isAlternate ? '\u001b[?1049l' : ''}\n`,
    );
  }
}

function numberOf(flag: string, text: string): number {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw usage(`${flag} ${text} is no positive number.`, `Pass e.g. ${flag} 2.`);
}
