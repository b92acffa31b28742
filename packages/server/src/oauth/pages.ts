import { type Html, html } from '../platform/html.ts';
import { alert, page } from '../platform/page.ts';
import { CLIENT_NAME } from './model.ts';
import { showUserCode } from './user-code.ts';

/** Asks for the code that the program shows, when the link to here did not bring it. */
export const codePage = (refused?: readonly string[], code = ''): string =>
  page(
    'Log in a program',
    html`${alert(refused)}<form method="get" autocomplete="off">
<label for="user_code">The code that the program shows</label>
<input id="user_code" name="user_code" type="text" value="${code && showUserCode(code)}" required maxlength="32" autocapitalize="characters" spellcheck="false">
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
  const rows = [['Code', shown], program(name), ['Asked for from', address], as(person)] as const;
  return askPage(
    rows,
    `Allow it only if you have just started this login yourself, and the program shows the very code ${shown}. ${NOBODY}`,
    { csrf, user_code: code },
  );
}

/** As {@link confirmPage}, of a program that says that it is on the machine of this browser. */
export function confirmLocalPage(local: {
  readonly name: string;
  readonly port: string;
  readonly person: string;
  readonly csrf: string;
}): string {
  const { name, port, person, csrf } = local;
  const rows = [program(name), ['Answers on this computer at', port], as(person)] as const;
  return askPage(
    rows,
    `Allow it only if you have just started this login yourself, on this computer. ${NOBODY}`,
    { csrf },
  );
}

const NOBODY = 'Nobody from your company asks you to allow a login that you did not start.';
const program = (name: string) => ['Program', `${CLIENT_NAME} (${name})`] as const;
const as = (person: string) => ['Logs in as', person] as const;

const askPage = (
  rows: readonly (readonly [string, string])[],
  text: string,
  hidden: Readonly<Record<string, string>>,
): string =>
  page(
    'Log in a program?',
    html`<dl>
${rows.map(([label, said]) => row(label, said))}</dl>
<p>${text}</p>
<form method="post" autocomplete="off">
${Object.entries(hidden).map(([name, value]) => field(name, value))}<button type="submit" name="answer" value="deny">It is not mine</button>
<button type="submit" name="answer" value="allow">Allow</button>
</form>`,
  );

const field = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">\n`;
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
