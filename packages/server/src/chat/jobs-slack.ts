import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { PRIVATE, pinned, type Resolve } from '../notifications/index.ts';
import { isPublicAddress } from '../platform/networks.ts';
import { answerUrl } from './answer-url.ts';
import type { SlackSettings } from './model.ts';

/** What leaves for Slack. The bot's token is nowhere but in here. */
export interface SlackApi {
  /** Opens a form; within Slack's 3 seconds, or not at all. @returns whether it did. */
  openView(trigger_id: string, view: object): Promise<boolean>;
  /** Says something where Slack asked to be answered; not waited for. */
  answerAt(response_url: string | undefined, message: object): void;
  /** Waits for what is being said. */
  stop(): Promise<void>;
}

/** For one call, however slowly its answer comes; Slack itself waits 3 s for ours. */
export const CALL_MS = 2_500;
const MAX_ANSWER = 65_536;
const MAX_HEADERS = 16_384;
/** Said at once; more are left unsaid. */
const MOST_AT_ONCE = 100;

interface Log {
  info(facts: object, line: string): void;
}

export function createSlackApi(
  settings: SlackSettings,
  log: Log,
  resolve: Resolve = systemLookup,
): SlackApi {
  const { api_url, bot_token, allow_private } = settings;
  const lookup = pinned(resolve, allow_private);
  const saying = new Set<Promise<void>>();

  const post = async (url: URL, message: object, more: http.OutgoingHttpHeaders) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // An address in the URL itself is never looked up.
    if (isIP(host) !== 0 && !allow_private && !isPublicAddress(host)) throw coded(PRIVATE);
    const body = JSON.stringify(message);
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Postern',
      ...more,
    };
    return await send(url, { headers, lookup, body });
  };
  const failed = (call: string, error: unknown): void => {
    const code = (error as { code?: unknown }).code;
    const why = typeof code === 'string' && /^[A-Za-z_0-9]{1,60}$/.test(code) ? code : 'unknown';
    log.info({ call, error: why }, 'Slack was not reached');
  };

  return {
    openView: async (trigger_id, view) => {
      try {
        const url = new URL(`${api_url.href.replace(/\/+$/, '')}/views.open`);
        const answer = await post(
          url,
          { trigger_id, view },
          { authorization: `Bearer ${bot_token}` },
        );
        refuseUnlessOk(answer);
        return true;
      } catch (error) {
        failed('views.open', error);
        return false;
      }
    },
    answerAt: (response_url, message) => {
      const url = answerUrl(response_url, settings);
      if (url === undefined || saying.size >= MOST_AT_ONCE) return;
      const said = post(url, message, {})
        .then(
          () => {},
          (error) => failed('response_url', error),
        )
        .finally(() => saying.delete(said));
      saying.add(said);
    },
    stop: async () => {
      await Promise.all([...saying]);
    },
  };
}

const coded = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** @throws with Slack's own word for what was wrong */
function refuseUnlessOk(text: string): void {
  let answer: { ok?: unknown; error?: unknown };
  try {
    answer = (JSON.parse(text) ?? {}) as typeof answer;
  } catch {
    throw coded('not_json');
  }
  if (answer.ok !== true) throw coded(typeof answer.error === 'string' ? answer.error : 'not_ok');
}

interface Outgoing {
  readonly headers: http.OutgoingHttpHeaders;
  readonly lookup: http.RequestOptions['lookup'];
  readonly body: string;
}

/** No redirect is followed, no connection used again; all within 2.5 s, however slowly it comes. */
function send(url: URL, { headers, lookup, body }: Outgoing): Promise<string> {
  const { request: open } = url.protocol === 'https:' ? https : http;
  return new Promise((answered, failed) => {
    const request = open(url, {
      method: 'POST',
      headers,
      ...(lookup === undefined ? {} : { lookup }),
      agent: false,
      maxHeaderSize: MAX_HEADERS,
    });
    const late = setTimeout(() => request.destroy(coded('ETIMEDOUT')), CALL_MS);
    request.on('error', failed);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      if (response.statusCode !== 200) request.destroy(coded(`HTTP_${response.statusCode}`));
      response.on('error', failed);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) request.destroy(coded('EMSGSIZE'));
        else chunks.push(chunk);
      });
      response.on('end', () => answered(Buffer.concat(chunks).toString('utf8')));
    });
    request.on('close', () => {
      clearTimeout(late);
      failed(coded('ECONNRESET'));
    });
    request.end(body);
  });
}
