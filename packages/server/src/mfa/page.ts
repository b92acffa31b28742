import { type Acr, type Instant, toRfc3339 } from '@postern/shared';
import { type Html, html } from '../platform/html.ts';
import { alert, messagePage, page } from '../platform/page.ts';

/** One page for whatever is wrong with the address, so that nothing is learned from it. */
export const INVALID_PAGE = messagePage('This page is not valid any more', [
  'It was used, its time is over, or its address is not complete.',
  'Run the command in your terminal again.',
]);

export const DONE_PAGE = messagePage('That was you', [
  'Go back to your terminal: it goes on by itself.',
  'You can close this page.',
]);

export const FAILED_PAGE = messagePage('Too many wrong codes', [
  'Nothing is opened.',
  'Run the command in your terminal again when your authenticator app shows another code.',
]);

export interface StepUpPage {
  readonly acr: Acr;
  readonly about: {
    readonly user_name: string;
    readonly user_login: string;
    readonly server_name: string | null;
    readonly identity: string | null;
    readonly requester_name: string | null;
    readonly client_address: string;
    readonly created_at: Instant;
  };
  readonly takes_code: boolean;
  readonly takes_passkey: boolean;
  readonly form_token: string;
  /** What was wrong with the form that was sent. */
  readonly refused?: readonly string[];
  /** What the browser asks the authenticator; only once the person has asked for it. */
  readonly passkey?: object;
}

export const SCRIPT_PATH = '/mfa/passkey.js';

/** Who asks for what from where, and the forms that answer it. The code is never given back. */
export function stepUpPage(shown: StepUpPage): string {
  const { about, refused, passkey } = shown;
  const content = html`${alert(refused)}<p><strong>${sentence(about)}</strong></p>
<p>Asked at ${toRfc3339(about.created_at)}. Only go on if that is you, and you asked for it just now. If not: close this page, and tell your administrators.</p>
${forms(shown)}<p>You are asked as ${about.user_name} (${about.user_login}).</p>`;
  return page('Is that you?', content, passkey === undefined ? undefined : SCRIPT_PATH);
}

/** `Dana Reyes wants to connect to opa-demo-linux as pamadmin1 from 127.0.0.1.` */
export function sentence(about: StepUpPage['about']): string {
  const { user_name, server_name, identity, requester_name, client_address } = about;
  const what =
    server_name === null
      ? `decide on an access request of ${requester_name ?? 'somebody'}`
      : `connect to ${server_name} as ${identity ?? ''}`;
  return `${user_name} wants to ${what} from ${client_address}.`;
}

function forms({ takes_code, takes_passkey, form_token, passkey }: StepUpPage): Html {
  const token = html`<input type="hidden" name="form_token" value="${form_token}">`;
  if (passkey !== undefined)
    return html`<form method="post" autocomplete="off" id="passkey-form" data-options="${JSON.stringify(passkey)}">
${token}
<input type="hidden" name="answer" value="passkey">
<input type="hidden" name="passkey" value="">
<p role="status" id="passkey-status">Your browser asks you for your passkey.</p>
<button type="submit">Ask again</button>
</form>
`;
  const code = html`<form method="post" autocomplete="off">
${token}
<label for="code">One-time code of your authenticator app</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required maxlength="9" autofocus>
<button type="submit" name="answer" value="code">That is me</button>
</form>
`;
  const key = html`<form method="post" autocomplete="off">
${token}
<button type="submit" name="answer" value="passkey">Use a passkey</button>
</form>
`;
  return html`${takes_code ? code : null}${takes_passkey ? key : null}`;
}

/** Asks the authenticator as the form says, and sends its answer with the form. */
export const PASSKEY_SCRIPT = `'use strict';
(async () => {
  const form = document.getElementById('passkey-form');
  const status = document.getElementById('passkey-status');
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.options));
    const credential = await navigator.credentials.get({ publicKey });
    form.elements.passkey.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (error) {
    status.textContent = 'Your passkey was not used (' + error.name + ').';
  }
})();
`;
