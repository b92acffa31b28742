import { printable } from '@postern/shared';
import type { World } from '../context.ts';
import { widthOf } from '../render/render.ts';

export interface Spinner {
  /** Replaces the text; without a terminal a changed text is a line of its own. */
  show(text: string): void;
  stop(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function spinner({ stderr }: World): Spinner {
  let shown = '';
  if (stderr.isTTY !== true)
    return {
      show: (text) => {
        if (text !== shown) stderr.write(`${printable(text)}\n`);
        shown = text;
      },
      stop: () => undefined,
    };
  let frame = 0;
  const draw = () => {
    frame = (frame + 1) % FRAMES.length;
    // One line whatever the width, so that the next frame can be drawn over it.
    stderr.write(`\r\u001b[K${FRAMES[frame]} ${cut(shown, (stderr.columns ?? 80) - 3)}`);
  };
  const timer = setInterval(draw, 120);
  return {
    show: (text) => {
      shown = printable(text);
      draw();
    },
    stop: () => {
      clearInterval(timer);
      stderr.write('\r\u001b[K');
    },
  };
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && widthOf(characters.join('')) > width - 1) characters.pop();
  return `${characters.join('')}…`;
}
