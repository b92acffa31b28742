import { describe, expect, it } from 'vitest';
import { answerUrl } from '../../src/chat/answer-url.ts';
import { makeLinkCode } from '../../src/chat/code.ts';
import { CALL_MS, createSlackApi } from '../../src/chat/jobs-slack.ts';
import type { Resolve } from '../../src/notifications/index.ts';
import { timeoutsStill } from '../kit/still.ts';
import { BOT_TOKEN, withSlack } from './slack.ts';

const slack = withSlack();

const lines: object[] = [];
const log = { info: (facts: object) => void lines.push(facts) };
const api = (more: object = {}, resolve?: Resolve) =>
  createSlackApi({ ...slack.settings, ...more }, log, resolve);

describe('what leaves for Slack', () => {
  it('goes to no private address, named or looked up, unless that is allowed', async () => {
    const strict = { allow_private: false };
    expect(await api(strict).openView('1', {})).toBe(false);
    const named = {
      ...strict,
      api_url: new URL(`http://slack.test:${slack.settings.api_url.port}`),
    };
    const at = (...addresses: string[]): Resolve => {
      return (_name, _options, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
    };
    expect(await api(named, at('127.0.0.1')).openView('1', {})).toBe(false);
    expect(await api(named, at('93.184.215.14', '10.0.0.1')).openView('1', {})).toBe(false);
    expect(slack.received).toEqual([]);
    expect(lines.slice(-3)).toEqual(Array(3).fill({ call: 'views.open', error: 'EPRIVATE' }));
    expect(await api().openView('1', {})).toBe(true);
  });

  it('an answer of any size or kind does not hold it up', async () => {
    for (const reply of [
      { body: 'x'.repeat(200_000) },
      { body: '{"ok":"true"}' },
      { body: '[]' },
      { body: '{"ok":false,"error":"<script>"}' },
      { status: 307 },
      { status: 204 },
    ]) {
      slack.reply = reply;
      expect(await api().openView('1', {})).toBe(false);
    }
    const told = JSON.stringify(lines);
    expect(told).not.toContain(BOT_TOKEN);
    expect(told).not.toContain('<script>');
  });

  it.each([{ hang: true }, { drip: true }])(
    'is given up, in less than the 3 s that Slack waits for us, while Slack answers with %j',
    (reply) =>
      timeoutsStill(async ({ pass, until }) => {
        slack.reply = reply;
        let opened: boolean | undefined;
        const opening = api().openView('1', {});
        opening.then((one) => {
          opened = one;
        });
        await until(() => slack.received.length > 0);
        pass(CALL_MS - 1);
        await new Promise((turn) => setImmediate(turn));
        expect(opened).toBeUndefined();
        pass(1);
        expect(await opening).toBe(false);
        expect(lines.at(-1)).toEqual({ call: 'views.open', error: 'ETIMEDOUT' });
        expect(CALL_MS).toBeLessThan(3_000);
      }),
  );

  it('waits at the end for what is being said', async () => {
    const one = api();
    one.answerAt(slack.respond_url, { text: 'x' });
    await one.stop();
    expect(slack.received).toHaveLength(1);
  });
});

describe('where an answer may go', () => {
  const strict = { api_url: new URL('https://slack.com/api'), allow_private: false };

  it.each([
    ['https://hooks.slack.com/actions/T0/1/x', true],
    ['https://hooks.slack.com:443/actions', true],
    ['https://HOOKS.slack.com/x', true],
    ['http://hooks.slack.com/x', false],
    ['https://slack.com/api', false],
    ['https://hooks.slack.com.evil.test/', false],
    ['https://hooks.slack.com@evil.test/', false],
    ['https://evil.test#hooks.slack.com', false],
    ['https://hooks.slack.com\\@evil.test/', true], // the browser's reading: a path of Slack's
    ['//hooks.slack.com/x', false],
    ['', false],
  ])('%s: %s', (text, expected) => {
    const url = answerUrl(text, strict);
    expect(url !== undefined).toBe(expected);
    if (url !== undefined) expect(url.host).toBe('hooks.slack.com');
  });
});

it('a code of fewer random bits is not made', () => {
  expect(() => makeLinkCode(Buffer.alloc(15))).toThrow(RangeError);
});
