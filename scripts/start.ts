import { PEOPLE } from '../e2e/world/people.ts';
import { addRiskTiers } from './demo/risk-tiers.ts';
import { during, heading, remark } from './demo/screen.ts';
import { startWorld } from './demo/world.ts';

/** `npm start`: the demo world, kept up until Ctrl-C, and what to type in another terminal. */
const world = await startWorld({ sshd: process.argv.includes('--sshd'), verbose: false });
const { ellis } = world.people;
await during(
  'Adding servers of low, medium and high risk',
  addRiskTiers(world, 'Europe/Berlin', async (who, args, options) => {
    const ran = await world.people[who].run('sft-admin', args, options);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }),
);
const assignments = (name: string): string =>
  `export PATH=${ellis.env.PATH?.split(':')[0]}:$PATH SFT_URL=${world.service.url} SFT_TEAM=${world.service.team} SFT_TOKEN_FILE=${world.directory}/home/${name}/token`;
heading('The demo world is up. In a second terminal, be the engineer:');
process.stdout.write(`${assignments('ellis')}\nsft ssh opa-demo-linux\nsft request catalog\n`);
heading('In a third one, be his manager:');
process.stdout.write(`${assignments('dana')}\nsft-admin requests list\nsft-admin approve <id>\n`);
remark(`People: ${PEOPLE.join(', ')}; each has a token in ${world.directory}/home/<name>/token.`);
remark('Ctrl-C ends it and removes everything.');
