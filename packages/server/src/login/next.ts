const LONGEST = 2_048;
/** A letter or digit after the first slash: no `//host`, no `/\host`, not encoded either. */
const FORM = /^\/[A-Za-z0-9][A-Za-z0-9._~\-/?&=:@!$'()*+,;%]*$/;

/**
 * Where somebody goes after the login: a path of our own, or nowhere. Strict rather than clever:
 * what a browser makes of a backslash, a tab or an encoded slash differs from what we would.
 */
export function safeNext(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST || !FORM.test(text)) return undefined;
  const [path = ''] = text.split('?');
  if (/\/\/|%(?![0-9A-Fa-f]{2})|%(2f|5c|00)/i.test(path)) return undefined;
  return path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part)) ? undefined : text;
}
