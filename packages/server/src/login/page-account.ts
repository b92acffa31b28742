import { type Instant, toRfc3339 } from '@postern/shared';
import { type Html, html } from '../platform/html.ts';
import { alert, page } from '../platform/page.ts';
import { type Behind, code, hidden, passkeyButton, password, SCRIPT_PATH } from './pages.ts';

export interface AccountPage extends Behind {
  readonly person: { readonly login: string; readonly name: string };
  readonly issuer: string | null;
  readonly methods: {
    readonly password: boolean;
    readonly totp: boolean;
    readonly passkeys: readonly {
      readonly id: string;
      readonly name: string;
      readonly created_at: Instant;
      readonly last_used_at: Instant | null;
    }[];
  };
  /** Whether what changes how he logs in may be done now. */
  readonly fresh: boolean;
  readonly adding: { readonly secret: string; readonly uri: string } | undefined;
  readonly here: string;
  readonly logins: readonly {
    readonly id: string;
    readonly authenticated_at: Instant;
    readonly last_seen_at: Instant;
    readonly client_address: string;
    readonly user_agent: string;
  }[];
  readonly tokens: readonly {
    readonly id: string;
    readonly name: string;
    readonly created_at: Instant;
    readonly expires_at: Instant;
  }[];
}

/** What somebody logs in with, and where he is logged in. */
export function accountPage(about: AccountPage): string {
  const { person, issuer, refused, csrf, passkeys, fresh } = about;
  const { name, login } = person;
  const issued =
    issuer === null
      ? null
      : html`<p>This login counts as issued by ${issuer}: he made, or reset, what it was done with. It decides nothing that he asks for.</p>\n`;
  return page(
    'Your account',
    html`${alert(refused)}<p>${name} (${login})</p>
${issued}${fresh ? changes(about) : proof(about)}<h2>Where you are logged in</h2>
${about.logins.map((one) => loginOf(about, one))}${about.tokens.map((one) => tokenOf(about, one))}${post(about, '/account/end-all', 'Log out everywhere')}${post({ csrf }, '/logout', 'Log out here')}`,
    passkeys ? SCRIPT_PATH : undefined,
  );
}

const post = (
  { csrf }: { readonly csrf: string },
  action: string,
  label: string,
  fields: Html | null = null,
): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
${hidden('csrf', csrf)}${fields}<button type="submit">${label}</button>
</form>\n`;

/** He has been here for a while, or came without his second factor. */
function proof(about: AccountPage): Html {
  const { csrf, methods, passkeys } = about;
  const held = methods.totp || methods.passkeys.length > 0;
  const withPasskey = passkeys && methods.passkeys.length > 0;
  const ask = held
    ? methods.totp
      ? code()
      : null
    : password('password', 'Password', 'current-password');
  return html`<h2>Prove that it is you</h2>
<p>To change how you log in, show once more that it is you.</p>
${ask === null ? null : post(about, '/account/proof', 'Prove it', ask)}${withPasskey ? passkeyButton({ csrf, path: '/account/proof/passkey', kind: 'get' }, 'Use a passkey') : null}`;
}

function changes(about: AccountPage): Html {
  const { csrf, methods, adding, passkeys } = about;
  const app = methods.totp
    ? html`<p>You have one.</p>\n${post(about, '/account/totp/remove', 'Remove the authenticator app')}`
    : adding === undefined
      ? post(about, '/account/totp', 'Add an authenticator app')
      : html`<p>Enter this in the app, then the code that it shows.</p>
<dl><dt>Secret</dt><dd><code>${adding.secret}</code></dd>
<dt>Or as a link</dt><dd><code>${adding.uri}</code></dd></dl>
${post(about, '/account/totp/confirm', 'Add it', code())}`;
  const add = passkeys
    ? passkeyButton(
        { csrf, path: '/account/passkeys', kind: 'create', name: true },
        'Add a passkey',
      )
    : html`<p>Passkeys need a host name: whoever runs the service sets POSTERN_PUBLIC_URL to one over https.</p>\n`;
  return html`<h2>Authenticator app</h2>
${app}<h2>Passkeys</h2>
${methods.passkeys.map((key) => passkeyOf(about, key))}${add}<h2>Password</h2>
${post(
  about,
  '/account/password',
  'Change the password',
  html`${password('password', 'New password', 'new-password')}${password('again', 'The same once more', 'new-password')}`,
)}`;
}

const passkeyOf = (about: AccountPage, key: AccountPage['methods']['passkeys'][number]): Html =>
  html`<p>${key.name}, added ${toRfc3339(key.created_at)}, ${key.last_used_at === null ? 'never used' : `used ${toRfc3339(key.last_used_at)}`}</p>
${post(about, '/account/passkeys/remove', `Remove ${key.name}`, hidden('id', key.id))}`;

const loginOf = (about: AccountPage, one: AccountPage['logins'][number]): Html =>
  html`<p>${one.id === about.here ? 'This browser' : 'Browser'}, from ${one.client_address}, since ${toRfc3339(one.authenticated_at)}, last seen ${toRfc3339(one.last_seen_at)}: ${one.user_agent}</p>
${post(about, '/account/end', 'End this login', hidden('id', one.id))}`;

const tokenOf = (about: AccountPage, one: AccountPage['tokens'][number]): Html =>
  html`<p>Token ${one.name}, made ${toRfc3339(one.created_at)}, ends ${toRfc3339(one.expires_at)}</p>
${post(about, '/account/end', 'End this token', hidden('id', one.id))}`;
