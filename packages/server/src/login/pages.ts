import { type Html, html } from '../platform/html.ts';
import { alert, page } from '../platform/page.ts';

/** Where the script of passkeys is. */
export const SCRIPT_PATH = '/login/passkey.js';

/** What stands behind a page of this feature. */
export interface Behind {
  readonly csrf: string;
  /** Whether browsers offer passkeys here. */
  readonly passkeys: boolean;
  /** What was wrong with what was sent. */
  readonly refused?: readonly string[] | undefined;
}

export const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">\n`;

export const password = (name: string, label: string, autocomplete: string): Html =>
  html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="password" required maxlength="1024" autocomplete="${autocomplete}">\n`;

export const code = (): Html =>
  html`<label for="code">Code of the authenticator app</label>
<input id="code" name="code" type="text" required maxlength="16" inputmode="numeric" autocomplete="one-time-code" autocapitalize="none" spellcheck="false">\n`;

/** Shown by the script where the browser has passkeys; without it, and without them, nothing. */
export const passkeyButton = (
  about: {
    readonly csrf: string;
    readonly path: string;
    readonly kind: 'get' | 'create';
    readonly next?: string | undefined;
    readonly name?: boolean;
  },
  label: string,
): Html =>
  html`<form class="passkey" hidden data-path="${about.path}" data-kind="${about.kind}" data-csrf="${about.csrf}" data-next="${about.next ?? ''}">
${about.name ? html`<label for="name">Name of the passkey</label>\n<input id="name" name="name" type="text" required maxlength="60" value="Passkey" autocomplete="off">\n` : null}<button type="submit">${label}</button>
<p role="status"></p>
</form>\n`;

export interface LoginPage extends Behind {
  readonly next: string | undefined;
  /** What was filled in as the login. */
  readonly login?: string | undefined;
  /** What the provider is called that he can log in with instead. */
  readonly upstream?: string | undefined;
  /** Whether he is to log in once more. */
  readonly again?: boolean | undefined;
  /** Whether he comes from an invitation, where he has just set his password. */
  readonly invited?: boolean | undefined;
}

const upstreamLink = (name: string, next: string | undefined, again: boolean): Html => {
  const query = new URLSearchParams({
    ...(next === undefined ? {} : { next }),
    ...(again ? { prompt: 'login' } : {}),
  });
  return html`<p><a href="/login/oidc?${query.toString()}">Continue with ${name}</a></p>\n`;
};

const INVITED = html`<p>Your password is set. Log in with it, then add a second factor.</p>\n`;

export function loginPage(about: LoginPage): string {
  const { csrf, passkeys, refused, next, login = '', upstream } = about;
  const { again = false, invited = false } = about;
  return page(
    'Log in',
    html`${alert(refused)}${invited ? INVITED : null}${upstream === undefined ? null : upstreamLink(upstream, next, again)}<form method="post" action="/login">
${hidden('csrf', csrf)}${hidden('next', next ?? '')}<label for="login">Login</label>
<input id="login" name="login" type="text" required maxlength="200" value="${login}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
${password('password', 'Password', 'current-password')}<button type="submit">Log in</button>
</form>
${passkeys ? passkeyButton({ csrf, path: '/login/passkey', kind: 'get', next }, 'Log in with a passkey') : null}<p>No password yet, or forgotten? An administrator gives you a link: sft-admin users invite LOGIN</p>`,
    passkeys ? SCRIPT_PATH : undefined,
  );
}

export interface FactorPage extends Behind {
  readonly next: string | undefined;
  readonly totp: boolean;
}

/** @param about.passkeys whether this person has one, and browsers offer it */
export function factorPage({ csrf, passkeys, refused, next, totp }: FactorPage): string {
  const form = html`<form method="post" action="/login/factor" autocomplete="off">
${hidden('csrf', csrf)}${hidden('next', next ?? '')}${code()}<button type="submit">Go on</button>
</form>\n`;
  const neither = html`<p>Your second factor is a passkey, and none can be used here: open the page at the service’s own address.</p>\n`;
  return page(
    'Second factor',
    html`${alert(refused)}${totp ? form : null}${passkeys ? passkeyButton({ csrf, path: '/login/passkey', kind: 'get', next }, 'Use a passkey') : null}${totp || passkeys ? null : neither}<p>Lost it? An administrator removes it: sft-admin users reset-factors LOGIN</p>
<p><a href="/login">Begin again</a></p>`,
    passkeys ? SCRIPT_PATH : undefined,
  );
}

/**
 * A page that goes on by itself. A redirect would be part of the form that was sent, and where
 * it goes on to another origin in the end, as OAuth does, the form's policy would stop it.
 */
export const goOnPage = (next: string): string =>
  page(
    'You are logged in',
    html`<meta http-equiv="refresh" content="0;url=${next}">
<p><a href="${next}">Go on</a></p>`,
  );

export interface InvitePage extends Behind {
  readonly login: string;
  readonly name: string;
}

export const invitePage = ({ csrf, refused, login, name }: InvitePage): string =>
  page(
    'Set your password',
    html`${alert(refused)}<p>For ${name} (${login}). At least 12 characters: a few words that do not belong together are good.</p>
<form method="post">
${hidden('csrf', csrf)}<input type="text" name="login" value="${login}" autocomplete="username" hidden>
${password('password', 'New password', 'new-password')}${password('again', 'The same once more', 'new-password')}<button type="submit">Set the password</button>
</form>`,
  );
