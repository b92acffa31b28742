import { PEOPLE } from '../e2e/world/people.ts';
import { heading, remark } from './demo/screen.ts';
import { startWorld } from './demo/world.ts';

/** `npm start`: the demo world, kept up until Ctrl-C, and what to type in another terminal. */
const world = await startWorld({ sshd: process.argv.includes('--sshd'), verbose: false });
const { ellis } = world.people;
const assignments = (name: string): string =>
  `export PATH=${ellis.env.PATH?.split(':')[0]}:$PATH SFT_URL=${world.service.url} SFT_TEAM=${world.service.team} SFT_TOKEN_FILE=${world.directory}/home/${name}/token`;
heading('The demo world is up. In a second terminal, be the engineer:');
process.stdout.write(`${assignments('ellis')}\nsft ssh opa-demo-linux\n`);
heading('In a third one, be his manager:');
process.stdout.write(`${assignments('dana')}\nsft-admin requests list\nsft-admin approve <id>\n`);
remark(`People: ${PEOPLE.join(', ')}; each has a token in ${world.directory}/home/<name>/token.`);
remark('Ctrl-C ends it and removes everything.');
