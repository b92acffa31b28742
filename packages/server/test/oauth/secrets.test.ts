import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { authorizeUrl } from './client.ts';
import { withOauth } from './world.ts';

onBoth('attack 15: what the authorization server keeps and says', (kit) => {
  const world = withOauth(kit);

  it('no token, code, interaction, user code or private key in a dump, an event or the log', async () => {
    const client = await world.client();
    const secrets: Record<string, string> = {};
    const keepAll = (name: string, tokens: Record<string, string>): void => {
      for (const kind of ['access_token', 'refresh_token', 'id_token'])
        secrets[`${name} ${kind}`] = tokens[kind] as string;
    };

    const { code, verifier } = await world.browser('uma').authorize();
    Object.assign(secrets, { code, verifier });
    const first = (await client.redeem(code, verifier)).json();
    keepAll('first', first);
    keepAll('second', (await client.refresh(first.refresh_token)).json());

    const browser = world.browser('uma');
    const started = await browser.get(authorizeUrl('v'.repeat(43)));
    secrets.interaction = started.headers.location?.split('/').at(-1) as string;
    await browser.get(started.headers.location as string);
    const unredeemed = await world.browser('uma').authorize();
    secrets['code that nobody redeemed'] = unredeemed.code;

    const form = { scope: 'openid' };
    const device = (await client.post('/oauth/device/auth', form, { proof: null })).json();
    secrets['device code'] = device.device_code;
    secrets['user code'] = device.user_code;
    secrets['user code, as kept'] = device.user_code.replace('-', '');
    await browser.get(`/oauth/device?user_code=${device.user_code}`);
    const csrf = `csrf of ${world.ids.uma}`;
    await browser.post('/oauth/device', { csrf, user_code: device.user_code, answer: 'allow' });
    keepAll('device', (await client.poll(device.device_code)).json());

    const { access_token } = await client.login(world.browser('uma'));
    await client.call(access_token, 'GET', '/whoami');
    secrets['last access token'] = access_token;
    const proof = await client.proof('GET', 'https://elsewhere.example');
    await client.call(first.access_token, 'GET', '/whoami', { proof });
    await client.redeem(code, verifier);
    await client.refresh(first.refresh_token);
    secrets['a proof'] = proof;

    const dump: string[] = [];
    for (const table of ['oauth_models', 'dpop_proofs', 'tokens', 'audit_events', 'vault_keys']) {
      const { rows } = await sql<{ row: string }>`
        select row_to_json(t)::text as row from ${sql.id(table)} t`.execute(kit.db.sql);
      expect(rows.length, table).toBeGreaterThan(0);
      dump.push(...rows.map(({ row }) => row));
    }
    const places = { dump: dump.join('\n'), log: world.service.lines.join('\n') };
    for (const [place, text] of Object.entries(places))
      for (const [name, secret] of Object.entries(secrets)) {
        expect(secret.length, name).toBeGreaterThan(7);
        expect(text.includes(secret), `${name} in the ${place}`).toBe(false);
      }
    expect(places.dump).not.toMatch(/"d":\s*"[A-Za-z0-9_-]{43}"/);
  });

  it('drops what is over, and what its login has ended', async () => {
    const { sweepOver } = await import('../../src/oauth/service-sweep.ts');
    const client = await world.client();
    const count = async (): Promise<number> =>
      (await kit.db.sql.selectFrom('oauth_models').select('hash').execute()).length;
    const { refresh_token } = await client.login(world.browser('uma'));
    await kit.transact(sweepOver);
    const before = await count();
    await client.post('/oauth/token/revocation', { token: refresh_token });
    await kit.transact(sweepOver);
    expect(await count()).toBeLessThan(before);
    kit.clock.advance(13 * 3600);
    await kit.transact(sweepOver);
    expect(await count()).toBe(0);
    expect(await kit.db.sql.selectFrom('dpop_proofs').selectAll().execute()).toEqual([]);
  });
});
