import { messagePage } from '../platform/page.ts';

const AGAIN = 'Begin again: open the login page.';
const ASK = 'Ask an administrator of this service.';

type Reason = readonly [status: number, texts: readonly string[]];

/** What somebody reads who was not logged in; what the provider sent is not repeated. */
const REASONS = {
  not_begun: [
    400,
    ['This login was finished already, is over, or began in another browser.', AGAIN],
  ],
  unreachable: [503, ['The identity provider cannot be reached.', 'Try again in a minute.']],
  refused: [403, ['The identity provider did not log you in.', AGAIN]],
  invalid: [502, ['What the identity provider answered cannot be trusted.', ASK]],
  not_fresh: [403, ['The identity provider did not ask you again.', ASK]],
  unknown_identity: [403, ['You are no user of this service.', ASK]],
  not_active: [403, ['You are no active user of this service.', ASK]],
  no_login_claim: [403, ['The identity provider says no login that could be used here.', ASK]],
  login_taken: [
    403,
    [
      'The login that the identity provider says is another user’s here, so you are not made a user.',
      'If that user is you, ask an administrator to link you: sft-admin users link LOGIN --issuer URL --subject ID',
    ],
  ],
  login_lookalike: [
    403,
    ['The login that the identity provider says looks like that of another user here.', ASK],
  ],
} as const satisfies Record<string, Reason>;
export type NotIn = keyof typeof REASONS;

export function notInPage(why: NotIn): { readonly status: number; readonly text: string } {
  const [status, texts] = REASONS[why];
  return { status, text: messagePage('You are not logged in', texts) };
}
