import type { AccessRequest } from '@postern/shared';
import { waitForDecision } from '../access/wait.ts';
import { command } from '../command.ts';
import { lines } from '../render/view.ts';

export const requestWait = command({
  summary: 'Wait until a request is decided',
  help: 'Ends with 0 when it is approved, 77 when it is not, 75 when the time runs out.',
  args: { id: { summary: 'the id of the request' } },
  flags: { timeout: { value: 'TIME', summary: 'how long, e.g. 90s, 10m (default), 2h' } },
  run: async (ctx) => waitForDecision(ctx, ctx.args.id, ctx.flags.timeout),
  view: lines<AccessRequest>((request) => [`Request ${request.id} is ${request.state}.`]),
});
