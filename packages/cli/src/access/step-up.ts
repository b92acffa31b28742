import type { Acr, MfaApproval, MfaApprovalState, NewMfaApproval } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import { isInteractive, type World } from '../context.ts';
import { Failure, interrupted } from '../failure.ts';
import { isSafeUrl } from '../settings.ts';
import { spinner } from './spinner.ts';

/** What MFA is needed for. */
export interface MfaNeed {
  readonly acr: Acr;
  readonly target: Omit<NewMfaApproval, 'acr'>;
  /** In words: `pamadmin1 on opa-demo-linux needs MFA within 15 min`. */
  readonly what: string;
  /** The command that asks for it, for who has no terminal here. */
  readonly command: string;
}

type Asking = Pick<Ctx, 'world' | 'say'>;

/** How often the service is asked whether the person has answered in the browser. */
const POLL_MS = 1_000;
/** A little longer than the service waits: it says itself that the time is over. */
const PATIENCE_MS = 310_000;

/**
 * Asks the person for MFA: for a one-time code here where one does, or in the browser.
 * @throws Failure 77 not given, or no terminal to ask; 130 Ctrl-C.
 */
export async function stepUp(ctx: Asking, api: Api, need: MfaNeed): Promise<void> {
  if (!isInteractive(ctx.world))
    throw new Failure(
      'mfa_required',
      `${need.what}, and there is no terminal to ask for it.`,
      `Run it in a terminal: ${need.command}`,
    );
  const { acr, target } = need;
  const asked = await api.call('createMfaApproval', { body: { acr, ...target } });
  if (asked.takes_code && (await byCode(ctx, api, asked))) return;
  await byBrowser(ctx, api, asked);
}

/** @returns whether a code did; false: the person wants the browser. */
async function byCode(
  { world, say }: Asking,
  api: Api,
  { mfa_id: id, redirect_url }: MfaApproval,
): Promise<boolean> {
  const hasPage = redirect_url !== null;
  for (;;) {
    const text = await world.prompt.text({
      message: hasPage ? 'One-time code (Enter opens the browser):' : 'One-time code:',
      check: (answer) =>
        /^\d{6}$/.test(bare(answer)) || (hasPage && answer === '')
          ? undefined
          : 'Type the six digits that your authenticator app shows.',
    });
    if (text === '') return false;
    const { state, tries_left } = await api.call('answerMfaApproval', {
      params: { id },
      body: { code: bare(text) },
    });
    if (isGiven(state)) return true;
    say(`That is not the code, or it was used already. Tries left: ${tries_left}.`);
  }
}

/** As people type it. */
const bare = (text: string): string => text.replaceAll(/[\s-]/g, '');

async function byBrowser(
  { world, say }: Asking,
  api: Api,
  { mfa_id: id, redirect_url }: MfaApproval,
): Promise<void> {
  const url = pageOf(redirect_url);
  say('Prove in the browser that it is you. If it does not open, go to:');
  say(`  ${url.href}`);
  if (!world.env.SFT_NO_BROWSER) await world.browser.open(url);
  await answered(world, api, id);
}

function pageOf(text: string | null): URL {
  const url = text !== null && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && isSafeUrl(url)) return url;
  throw new Failure(
    'mfa_required',
    'This needs a page of the service, and the service names none that is safe to open.',
    'Tell your administrators: the service needs its public_url.',
  );
}

/** Until the person has answered. A service that is away for a while is not the end of waiting. */
async function answered(world: World, api: Api, id: string): Promise<void> {
  const waiting = spinner(world);
  const deadline = world.clock.now() + PATIENCE_MS;
  try {
    waiting.show('Waiting for you in the browser');
    for (;;) {
      if (isGiven(await stateOf(api, id, deadline - world.clock.now()))) return;
      await world.clock.sleep(POLL_MS, world.interrupt);
      if (world.interrupt.aborted) throw interrupted();
    }
  } finally {
    waiting.stop();
  }
}

async function stateOf(api: Api, id: string, left: number): Promise<MfaApprovalState['state']> {
  if (left <= 0) return 'expired';
  try {
    return (await api.call('getMfaApprovalState', { params: { id } })).state;
  } catch (error) {
    if (error instanceof Failure && error.exit === 69) return 'pending';
    throw error;
  }
}

/** @throws Failure 77 where it never will be. */
function isGiven(state: MfaApprovalState['state']): boolean {
  if (state === 'approved') return true;
  if (state === 'pending') return false;
  throw new Failure(
    'mfa_required',
    state === 'failed' ? 'Too many wrong codes.' : 'Nobody has proved it in time.',
    state === 'failed'
      ? 'Run the same command again when your authenticator app shows another code.'
      : 'Run the same command again.',
  );
}
