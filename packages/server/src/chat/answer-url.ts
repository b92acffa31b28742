import type { SlackSettings } from './model.ts';

/**
 * Where Slack says that an answer may go: its own host for that and nothing else, however it
 * was signed. Where private addresses are allowed, also the host of the API.
 *
 * @returns undefined for any other place.
 */
export function answerUrl(
  text: string | undefined,
  { api_url, allow_private }: Pick<SlackSettings, 'api_url' | 'allow_private'>,
): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  if (url.protocol === 'https:' && url.host === 'hooks.slack.com') return url;
  return allow_private && url.origin === api_url.origin ? url : undefined;
}
