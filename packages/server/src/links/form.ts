/** What the page's form sends; everything in it is text. */
const FIELDS = ['decision', 'comment', 'access_token', 'csrf', 'etag', 'step'] as const;
type FieldName = (typeof FIELDS)[number];
export type FormFields = Readonly<Partial<Record<FieldName, string>>>;

export const LONGEST_COMMENT = 2_000;

export interface DecisionForm {
  readonly decision: 'approve' | 'deny';
  readonly comment: string | null;
  /** null: he decides with the login of his browser. */
  readonly access_token: string | null;
  readonly etag: string;
  readonly step: number;
}

/**
 * Reads application/x-www-form-urlencoded (WHATWG URL, 5.1), strictly: percent-encoding is
 * whole and UTF-8, every field is one of the form's and stands there once.
 *
 * @returns undefined for anything else
 */
export function parseForm(text: string): FormFields | undefined {
  const fields: Partial<Record<FieldName, string>> = {};
  for (const pair of text === '' ? [] : text.split('&')) {
    const at = pair.indexOf('=');
    const name = FIELDS.find((field) => field === pair.slice(0, Math.max(at, 0)));
    const value = decoded(pair.slice(at + 1));
    if (name === undefined || value === undefined || fields[name] !== undefined) return undefined;
    fields[name] = value;
  }
  return fields;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** @returns the form, or what the person who filled it in has to do. */
export function readForm(fields: FormFields): DecisionForm | string {
  const { decision, access_token = '', csrf = '', etag = '', step = '' } = fields;
  const comment = commentOf(fields);
  if (decision !== 'approve' && decision !== 'deny') return 'Choose to approve or to deny.';
  if ([...(comment ?? '')].length > LONGEST_COMMENT)
    return `The comment is too long: at most ${LONGEST_COMMENT} characters.`;
  if (decision === 'deny' && comment === null)
    return 'Say in the comment why you deny: the requester reads it.';
  if (!/^[0-9]{1,20}$/.test(etag) || !/^[0-9]{1,2}$/.test(step))
    return 'The form does not say what was shown. Read it again and decide on what is there now.';
  const token = access_token.trim();
  return {
    decision,
    comment,
    access_token: token === '' && csrf !== '' ? null : token,
    etag,
    step: Number(step),
  };
}

/** Browsers send line breaks as CR LF. */
function commentOf({ comment = '' }: FormFields): string | null {
  const text = comment.replaceAll(/\r\n?/g, '\n').trim();
  return text === '' ? null : text;
}
