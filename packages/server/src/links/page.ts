import { type AccessRequest, type ApprovalCard, neededText, targetText } from '@postern/shared';
import { type Html, html, lines } from '../platform/html.ts';
import { alert, messagePage, page } from '../platform/page.ts';
import { type FormFields, LONGEST_COMMENT } from './form.ts';

/** One page for whatever is wrong with a link, so that nothing is learned from it. */
export const INVALID_PAGE = messagePage('This link is not valid any more', [
  'It was used, it has expired, or it is not complete.',
  'See what waits for you: sft-admin requests list',
]);

export interface DecisionPage {
  readonly card: ApprovalCard;
  readonly step: number;
  readonly approver: { readonly name: string; readonly login: string };
  /** Who is logged in with this browser; undefined: nobody. */
  readonly browser?: {
    readonly csrf: string;
    readonly name: string;
    readonly is_approver: boolean;
  };
  /** What was wrong with the form that was sent. */
  readonly refused?: readonly string[];
  /** What was filled in; the token is never given back. */
  readonly filled?: FormFields;
}

/** The card, and the form that decides on exactly what the card shows. */
export function decisionPage(about: DecisionPage): string {
  const { card, step, approver, browser, refused, filled } = about;
  const who = `${approver.name} (${approver.login})`;
  return page(
    card.title,
    html`${alert(refused)}<dl>
${card.rows.map(rowOf)}</dl>
<h2>Your decision</h2>
<form method="post" autocomplete="off">
<input type="hidden" name="etag" value="${card.etag}">
<input type="hidden" name="step" value="${step}">
<fieldset>
<legend>Decision</legend>
${choice('approve', 'Approve', filled)}${choice('deny', 'Deny', filled)}</fieldset>
<label for="comment">Comment (needed to deny)</label>
<textarea id="comment" name="comment" rows="3" maxlength="${LONGEST_COMMENT}">
${lines(filled?.comment ?? '')}</textarea>
${browser?.is_approver ? withLogin(browser, who) : withToken(about, who)}<button type="submit">Send the decision</button>
</form>
${browser?.is_approver ? null : loginForm(who)}<p>Or in a terminal: sft-admin requests show ${card.request_id}</p>`,
  );
}

const withLogin = ({ csrf }: { readonly csrf: string }, who: string): Html =>
  html`<input type="hidden" name="csrf" value="${csrf}">
<p>You are logged in as ${who}.</p>\n`;

function withToken({ browser }: DecisionPage, who: string): Html {
  const other =
    browser === undefined
      ? null
      : html`<p>You are logged in as ${browser.name}, not as ${who}.</p>\n`;
  return html`${other}<label for="access_token">Access token of ${who}</label>
<input id="access_token" name="access_token" type="password" required maxlength="512" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="about-token">
<p id="about-token">This link is no login: it was made for ${who}, and only that person decides.</p>\n`;
}

/** A form and not a link: its address is the page's own, and stands nowhere on the page. */
const loginForm = (who: string): Html =>
  html`<form method="get">
<button type="submit" name="login" value="1">Log in as ${who}, without a token</button>
</form>\n`;

const rowOf = ({ label, lines: texts }: ApprovalCard['rows'][number]): Html =>
  html`<dt>${label}</dt>\n${texts.map((text) => html`<dd>${text}</dd>\n`)}`;

/** Neither is chosen beforehand: no key pressed too early approves. */
function choice(value: 'approve' | 'deny', text: string, filled: FormFields = {}): Html {
  const checked = filled.decision === value ? html` checked` : null;
  return html`<label><input type="radio" name="decision" value="${value}" required${checked}> ${text}</label>\n`;
}

/** What has come of a decision. */
export function resultPage(
  request: Pick<AccessRequest, 'id' | 'state' | 'requester' | 'target' | 'steps'>,
): string {
  const { id, state, requester, target, steps } = request;
  const what = `${requester.name}, ${targetText(target)}`;
  const current = steps.find((step) => step.state === 'current');
  const needed = current === undefined ? '' : neededText(current.still_needed);
  switch (state) {
    case 'active':
      return messagePage('Approved', [
        what,
        `${requester.name} is in now.`,
        `To take it back: sft-admin revoke ${id}`,
      ]);
    case 'approved':
      return messagePage('Approved', [
        what,
        `${requester.name} may connect now.`,
        `To take it back: sft-admin revoke ${id}`,
      ]);
    case 'denied':
      return messagePage('Denied', [what, `${requester.name} is told so.`]);
    case 'pending':
      return messagePage('Your decision is recorded', [
        what,
        `The request waits for more: ${current?.name ?? ''}: ${needed || 'nobody is left who could'}.`,
      ]);
    default:
      return messagePage('Your decision is recorded', [what, `The request is ${state} now.`]);
  }
}
