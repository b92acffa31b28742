import { type Html, html } from '../platform/html.ts';
import { alert, page } from '../platform/page.ts';
import { CLIENT_NAME } from './model.ts';
import { showUserCode } from './user-code.ts';

/** Asks for the code that the program shows, when the link to here did not bring it. */
export const codePage = (refused?: readonly string[]): string =>
  page(
    'Log in a program',
    html`${alert(refused)}<form method="get" autocomplete="off">
<label for="user_code">The code that the program shows</label>
<input id="user_code" name="user_code" type="text" required maxlength="32" autocapitalize="characters" spellcheck="false">
<button type="submit">Continue</button>
</form>`,
  );

/**
 * What somebody is about to be logged in on. He compares: whoever sent him here could have
 * sent the code of a program of his own.
 */
export function confirmPage(device: {
  readonly code: string;
  readonly name: string;
  readonly address: string;
  readonly person: string;
  readonly csrf: string;
}): string {
  const { code, name, address, person, csrf } = device;
  const shown = showUserCode(code);
  return page(
    'Log in a program?',
    html`<dl>
${row('Code', shown)}${row('Program', `${CLIENT_NAME} (${name})`)}${row('Asked for from', address)}${row('Logs in as', person)}</dl>
<p>Allow it only if you have just started this login yourself, and the program shows the very code ${shown}. Nobody from your company asks you to allow a login that you did not start.</p>
<form method="post" autocomplete="off">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="user_code" value="${code}">
<button type="submit" name="answer" value="deny">It is not mine</button>
<button type="submit" name="answer" value="allow">Allow</button>
</form>`,
  );
}

const row = (label: string, text: string): Html => html`<dt>${label}</dt>\n<dd>${text}</dd>\n`;

/**
 * Goes on by itself. Not by a redirection: this may be the answer to the form of the login
 * page, and a page's `form-action` holds for where its form is redirected to as well.
 */
export const onwardPage = (url: string): string =>
  page(
    'Logged in',
    html`<p>Going back to the program.</p>
<meta http-equiv="refresh" content="0;url=${url}">
<p><a href="${url}">Continue</a></p>`,
  );
