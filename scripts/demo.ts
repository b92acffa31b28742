import { access } from './demo/access.ts';
import { groups } from './demo/groups.ts';
import { identity } from './demo/identity.ts';
import { workflows } from './demo/request-workflows.ts';
import { startWorld } from './demo/world.ts';

const WALKS = { access, workflows, groups, identity } as const;

/** `npm run demo [-- WALK] [-- --sshd]`: walks through a use case, every command real. */
async function main(argv: readonly string[]): Promise<number> {
  const sshd = argv.includes('--sshd');
  const names = argv.filter((arg) => arg !== '--sshd');
  const [name = 'access', ...more] = names;
  if (more.length > 0 || !(name in WALKS)) {
    process.stderr.write(
      `demo: there is no walk ${JSON.stringify(names.join(' '))}.\n` +
        `Walks: ${Object.keys(WALKS).join(', ')}. Options: --sshd (the machine's own sshd; root).\n`,
    );
    return 64;
  }
  const world = await startWorld({ sshd, verbose: true });
  try {
    await WALKS[name as keyof typeof WALKS](world);
    return 0;
  } finally {
    await world.end();
    process.stdout.write(
      '\nEverything that was started is stopped, and what it made is removed.\n',
    );
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(70);
  },
);
