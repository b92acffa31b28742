// C0 (tab and newline are kept by `multiline` only), DEL, C1, and every character that
// reorders or hides text: bidi marks, embeddings, overrides, isolates, zero-width
// characters, line and paragraph separators, tags, and the byte-order mark.
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Somebody's free text as one line that is safe to show in a terminal, a mail, a chat
 * or a page: each control, bidi or invisible character becomes U+FFFD. It does not
 * escape HTML or chat markup: that belongs to whoever writes those.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

/** As {@link printable}, but keeps line feeds and shows tabs as a space. */
export function printableLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((l) => printable(l.replace(/\t/g, ' ')))
    .join('\n');
}
