import { needsOnlyMfa } from '../access/choose.ts';
import { exitOf } from '../access/end.ts';
import { dynamicSpec, forwardSpec } from '../access/forward-spec.ts';
import { nonces } from '../access/nonce.ts';
import { openProven } from '../access/open-proven.ts';
import { settled, stillWaiting } from '../access/outcome.ts';
import { pickMethod } from '../access/pick.ts';
import { raise } from '../access/raise.ts';
import { timeoutOf, waitForDecision } from '../access/wait.ts';
import { command, Ended } from '../command.ts';
import { usage } from '../failure.ts';

export const ssh = command({
  summary: 'Connect to a server, or ask for the approval it needs',
  help: [
    'Ends with the status of the remote command, 75 while an approval is needed, 77 when it',
    'is refused, 255 when the connection fails. A command runs without a terminal unless',
    'both ends of it are one here, or -t is given.',
  ].join('\n'),
  args: {
    host: { summary: 'a server that `sft list-servers` shows' },
    command: { summary: 'what to run there, after --; without it a shell', rest: true },
  },
  flags: {
    account: { value: 'NAME', summary: 'the account to use there' },
    reason: { value: 'TEXT', summary: 'why you need it' },
    answer: { value: 'KEY=TEXT', many: true, summary: 'an answer to another question' },
    wait: { summary: 'wait for the approval, then connect' },
    timeout: { value: 'TIME', summary: 'how long --wait waits: 90s, 10m (default), 2h' },
    'local-forward': {
      short: 'L',
      value: '[BIND:]PORT:HOST:PORT',
      many: true,
      summary: 'listen here, connect from there',
    },
    'remote-forward': {
      short: 'R',
      value: '[BIND:]PORT:HOST:PORT',
      many: true,
      summary: 'listen there, connect from here',
    },
    'dynamic-forward': {
      short: 'D',
      value: '[BIND:]PORT',
      many: true,
      summary: 'SOCKS5 here, connect from there',
    },
    'no-command': { short: 'N', summary: 'no shell: only the forwards, until Ctrl-C' },
    tty: { short: 't', summary: 'a terminal there, whatever is here' },
    'no-tty': { short: 'T', summary: 'no terminal there' },
  },
  async run(ctx) {
    const { args, flags, world } = ctx;
    // What is wrong with the words is said before anybody is asked for an approval.
    if (flags.timeout !== undefined && !flags.wait)
      throw usage('--timeout says how long to wait.', 'Pass it together with --wait.');
    if (flags.wait) timeoutOf(flags.timeout);
    const job = {
      command: args.command.length === 0 ? undefined : args.command.join(' '),
      forwards_only: flags['no-command'],
      tty: flags.tty
        ? ('always' as const)
        : flags['no-tty']
          ? ('never' as const)
          : ('auto' as const),
      local: flags['local-forward'].map((text) => forwardSpec('-L', text)),
      remote: flags['remote-forward'].map((text) => forwardSpec('-R', text)),
      dynamic: flags['dynamic-forward'].map(dynamicSpec),
    };
    const api = await ctx.api();
    const picking = pickMethod(ctx, api, args.host, flags.account);
    const opening = { nonces: nonces(api, world.clock), meanwhile: () => world.ssh.prepare() };
    const picked = await picking;
    if (!picked.method.allowed && !needsOnlyMfa(picked.method)) {
      const reasons = { reason: flags.reason, answers: flags.answer };
      const { request, is_new } = await raise(ctx, api, picked, reasons);
      if (settled(request) === undefined) {
        const waiting = stillWaiting(request, is_new ? 'raised' : 'waiting');
        if (!flags.wait) throw waiting;
        ctx.say(waiting.detail);
        await waitForDecision(ctx, request.id, flags.timeout);
      }
    }
    const { session, target } = await openProven(ctx, api, picked, opening);
    const end = await world.ssh.run(target, job, world);
    return new Ended(await exitOf(end, api, session.id, world.clock));
  },
});
