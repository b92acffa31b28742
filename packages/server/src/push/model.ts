/** What a target is told about one user in one group. */
export interface Told {
  readonly operation: 'add' | 'remove';
  /** What the group and the user are called here, and so there. */
  readonly group: string;
  readonly login: string;
  /** The target's own ids, as far as they are known. */
  readonly remote_group: string | null;
  readonly remote_user: string | null;
}

export type Outcome =
  | {
      readonly result: 'told';
      readonly remote_group: string | null;
      /** null: it does not know the user, and he is to be in nothing. */
      readonly remote_user: string | null;
    }
  | {
      readonly result: 'failed';
      readonly error: string;
      /** Trying again makes it no better. */
      readonly permanent: boolean;
      /** The ids that are remembered lead nowhere. */
      readonly forget: boolean;
    };

/** What the settings allow beyond the public network. */
export interface PushSettings {
  /** Hosts with private addresses, or without TLS, that may be told. */
  readonly private_hosts: readonly string[];
}

export type Url =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly why: string };

/** The base of a SCIM endpoint: https, and http only where private hosts are allowed. */
export function readUrl(text: string, { private_hosts }: PushSettings): Url {
  if (!URL.canParse(text)) return { ok: false, why: 'is not a URL' };
  const url = new URL(text);
  const isAllowed = private_hosts.includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isAllowed))
    return { ok: false, why: 'must be https://…' };
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return { ok: false, why: 'must have no user, query or fragment' };
  return { ok: true, url: url.href.replace(/\/+$/, '') };
}
