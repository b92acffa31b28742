import type { LightMyRequestResponse } from 'fastify';
import { createLinkFor } from '../../src/links/index.ts';
import { apply, type Demo, makeUser, REQUEST_TYPE } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { PUBLIC_URL } from '../kit/service.ts';

/** The path of a link, made as a mail makes it. */
export async function linkTo(kit: Kit, request_id: string, user_id: string): Promise<string> {
  const link = await kit.transact((tx) => createLinkFor(PUBLIC_URL)(tx, request_id, user_id));
  if (link === null) throw new Error('there is no link');
  return link.slice(PUBLIC_URL.length);
}

export const FORM = 'application/x-www-form-urlencoded';

/** What a browser does with the page. */
export function browser(demo: Demo) {
  const { app } = demo.service;
  const open = (url: string, method: 'GET' | 'HEAD' = 'GET') => app.inject({ method, url });
  const send = (url: string, payload: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': FORM, ...headers } });
  const post = (url: string, fields: Record<string, string>) =>
    send(url, new URLSearchParams(fields).toString());
  /** Opens the page, fills in its form and sends it. */
  const submit = async (
    url: string,
    token: string | undefined,
    more: Record<string, string> = {},
  ) =>
    post(url, {
      ...hiddenFields(await open(url)),
      decision: 'approve',
      ...(token === undefined ? {} : { access_token: token }),
      ...more,
    });
  return { open, send, post, submit };
}

export const hiddenFields = ({ body }: LightMyRequestResponse): Record<string, string> =>
  Object.fromEntries(
    [...body.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );

let made = 0;

/** Somebody new who may ask for access, so that no test meets another's requests. */
export async function newRequester(
  demo: Demo,
  kit: Kit,
  { groups = [], ...document }: Record<string, unknown> & { groups?: string[] } = {},
): Promise<{ login: string; id: string }> {
  const login = `asks${made++}`;
  const id = await makeUser(demo, login, {
    manager: 'dana',
    groups: ['linux-users', ...groups],
    ...document,
  });
  kit.clock.advance(1);
  return { login, id };
}

/** Publishes the demo's request type with these steps. */
export async function askInSteps(demo: Demo, kit: Kit, ...needs: readonly unknown[]) {
  const steps = needs.map((need, i) => ({ name: `Step ${i}`, needs: need, timeout: '24h' }));
  await apply(demo, 'sam', [{ ...REQUEST_TYPE, steps }]);
  kit.clock.advance(1);
}

/** Everything that a decision on a request would change. */
export async function traces(kit: Kit, id: string) {
  const { sql } = kit.db;
  const of = (table: 'access_request_decisions' | 'approvals' | 'access_request_history') =>
    sql.selectFrom(table).select('request_id').where('request_id', '=', id).execute();
  const request = await sql
    .selectFrom('access_requests')
    .select(['state', 'seq', 'current_step'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const used = await sql
    .selectFrom('decision_links')
    .select('id')
    .where('request_id', '=', id)
    .where('used_at', 'is not', null)
    .execute();
  const events = await sql
    .selectFrom('audit_events')
    .select('type')
    .where('request_id', '=', id)
    .execute();
  return {
    ...request,
    decisions: (await of('access_request_decisions')).length,
    approvals: (await of('approvals')).length,
    history: (await of('access_request_history')).length,
    used: used.length,
    events: events.map(({ type }) => type).sort(),
  };
}
