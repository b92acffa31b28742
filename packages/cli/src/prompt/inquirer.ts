import { input } from '@inquirer/prompts';
import { printable } from '@postern/shared';
import { interrupted } from '../failure.ts';
import type { Console } from '../streams.ts';
import type { PromptPort } from './port.ts';

const asIs = (text: string): string => text;
/** No colours, and a question reads the same before and after its answer. */
const PLAIN = {
  prefix: { idle: '?', done: '?' },
  style: { message: asIs, answer: asIs, error: (text: string) => `> ${text}` },
};

type Terminal = Pick<Console, 'stdin' | 'stderr' | 'interrupt'>;

export function inquirerPrompt({ stdin, stderr, interrupt }: Terminal): PromptPort {
  const context = { input: stdin, output: stderr, signal: interrupt };
  const ask = async (message: string, check: (answer: string) => string | undefined) => {
    try {
      return await input(
        {
          message: printable(message),
          validate: (answer) => {
            const why = check(answer.trim());
            return why === undefined ? true : printable(why);
          },
          theme: PLAIN,
        },
        context,
      );
    } catch (error) {
      const { name } = error as Error;
      if (name === 'ExitPromptError' || name === 'AbortPromptError') throw interrupted();
      throw error;
    }
  };
  return {
    text: async ({ message, check }) => (await ask(message, check)).trim(),
    confirm: async (message) => {
      const answer = await ask(`${message} [y/N]`, (text) =>
        /^(y|yes|n|no|)$/i.test(text) ? undefined : 'Answer y or n.',
      );
      return /^y/i.test(answer.trim());
    },
  };
}
