import { type AccessRequest, targetText } from '@postern/shared';
import { settled } from '../access/outcome.ts';
import { pickMethod } from '../access/pick.ts';
import { raise } from '../access/raise.ts';
import { raiseOfType } from '../access/raise-type.ts';
import { timeoutOf, waitForDecision } from '../access/wait.ts';
import type { Api } from '../api/client.ts';
import { type Ctx, command } from '../command.ts';
import { usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { stillNeeded } from '../render/needed.ts';
import { lines } from '../render/view.ts';

export const requestCreate = command({
  summary: 'Ask for access without connecting, for more time, or for membership in a group',
  help: [
    'With a server: while an approval is in force, another one extends it: an open session goes',
    'on, without being cut, until the new end. With --type: a request of your catalogue, which',
    '`sft request catalog` shows; without either a terminal shows it and asks.',
    'With --wait it ends as `sft request wait` does.',
  ].join('\n'),
  args: { host: { summary: 'a server that `sft list-servers` shows', optional: true } },
  flags: {
    type: { value: 'NAME', summary: 'a request type of `sft request catalog`' },
    account: { value: 'NAME', summary: 'the account to use on the server' },
    reason: { value: 'TEXT', summary: 'why you need it' },
    answer: { value: 'KEY=TEXT', many: true, summary: 'an answer to another question' },
    wait: { summary: 'wait for the decision' },
    timeout: { value: 'TIME', summary: 'how long --wait waits: 90s, 10m (default), 2h' },
  },
  async run(ctx) {
    const { args, flags } = ctx;
    if (flags.timeout !== undefined && !flags.wait)
      throw usage('--timeout says how long to wait.', 'Pass it together with --wait.');
    if (args.host !== undefined && flags.type !== undefined)
      throw usage('A server and --type ask for different things.', 'Pass one of them.');
    if (args.host === undefined && flags.account !== undefined)
      throw usage('--account is an account on a server.', 'Pass the server with it.');
    if (flags.wait) timeoutOf(flags.timeout);
    const request = await raiseWhat(ctx, await ctx.api(), args.host, flags);
    if (!flags.wait || settled(request) !== undefined) return request;
    return await waitForDecision(ctx, request.id, flags.timeout);
  },
  view: lines<AccessRequest>((request) => [
    request.state === 'pending'
      ? `Request ${request.id} is pending. It can be approved by ${stillNeeded(request)}.`
      : `Request ${request.id} is ${request.state}.`,
    ...(request.state === 'active'
      ? [`You have ${targetText(request.target)} until ${localTime(request.ends_at)}.`]
      : []),
  ]),
});

interface Flags {
  readonly type: string | undefined;
  readonly account: string | undefined;
  readonly reason: string | undefined;
  readonly answer: readonly string[];
}

async function raiseWhat(
  ctx: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  host: string | undefined,
  { type, account, reason, answer }: Flags,
): Promise<AccessRequest> {
  const reasons = { reason, answers: answer };
  if (host === undefined) return raiseOfType(ctx, api, type, reasons);
  const picked = await pickMethod(ctx, api, host, account);
  return (await raise(ctx, api, picked, reasons, 'also_when_allowed')).request;
}
