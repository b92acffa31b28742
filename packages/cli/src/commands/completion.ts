import { command, type Program } from '../command.ts';
import { usage } from '../failure.ts';
import { lines } from '../render/view.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completion = command({
  summary: 'A script for the completion of a shell',
  help: 'E.g. in ~/.bashrc: source <(sft completion bash)',
  args: { shell: { summary: 'bash, zsh or fish' } },
  async run({ program, args: { shell } }) {
    if (!SHELLS.some((known) => known === shell))
      throw usage(`There is no completion for ${shell}.`, `Say one of: ${SHELLS.join(', ')}.`);
    const { scriptFor } = await import('../completion/scripts.ts');
    return scriptFor(shell as (typeof SHELLS)[number], await wordsOf(program));
  },
  view: lines<string>((script) => script.trimEnd().split('\n')),
});

/** Every command of the program with its flags. */
async function wordsOf({ name, commands }: Program) {
  const { GLOBAL_FLAGS } = await import('../find-command.ts');
  const all = await Promise.all(
    Object.entries(commands).map(async ([path, load]) => {
      const { flags = {}, summary } = await load();
      const names = Object.keys({ ...flags, ...GLOBAL_FLAGS });
      return { path, summary, flags: names.map((flag) => `--${flag}`) };
    }),
  );
  return { program: name, commands: all };
}
