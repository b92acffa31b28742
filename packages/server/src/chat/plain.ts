import { printable } from '@postern/shared';

/**
 * Text that Slack shows as it is, in one line of at most `max` characters: no mention, link
 * or format in it, no control or bidi character. Slack takes none that is empty.
 */
export function plain(text: string, max = 1_000) {
  // No longer than could be needed: what is left over by a cut pair is beyond `max`.
  const characters = [...printable(text.slice(0, 2 * max + 2))];
  const cut = characters.length <= max ? characters : [...characters.slice(0, max - 1), '…'];
  return { type: 'plain_text' as const, text: cut.join('') || '-', emoji: false };
}

/** A field's faults, as Slack shows them in a form; it shows them as they are. */
export const fieldErrors = (errors: Readonly<Record<string, string>>): object => ({
  response_action: 'errors',
  errors: Object.fromEntries(
    Object.entries(errors).map(([block, text]) => [block, plain(text, 150).text]),
  ),
});
