import { beforeAll, expect, it } from 'vitest';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { connect, type Provider, USER, userRow, withCleanPrototypes } from '../scim/world.ts';

onBoth('SCIM filters', (kit) => {
  withCleanPrototypes();
  const demo = withDemo(kit);
  let acme: Provider;
  let alice: string;
  beforeAll(async () => {
    acme = await connect(demo, 'acme', ['department']);
    alice = await acme.user('alice@acme.test', { displayName: 'Alice' });
  });

  it('of which nothing becomes SQL', async () => {
    for (const value of [
      `' or '1'='1`,
      `'; drop table users; --`,
      '%',
      '_',
      '\\\\',
      `\\" or userName pr or userName eq \\"`,
      '\\u0000',
    ]) {
      for (const operator of ['eq', 'co', 'sw', 'ew']) {
        const { status, body } = await acme.find('Users', `userName ${operator} "${value}"`);
        expect([value, status === 200 ? body.totalResults : status]).toEqual([
          value,
          value === '\\u0000' ? 400 : 0,
        ]);
      }
    }
    expect((await userRow(kit, alice)).status).toBe('ACTIVE');
  });

  it('that are none, or of nothing that is there: invalidFilter', async () => {
    for (const filter of [
      '',
      ' ',
      'userName',
      'userName eq',
      'userName eq x',
      'eq "x"',
      '(userName eq "a"',
      'userName eq "a")',
      'userName eq "a" and',
      'and',
      'not userName pr',
      'userName zz "a"',
      'password eq "a"',
      'hash sw "a"',
      'status eq "ACTIVE"',
      'u.login eq "a"',
      '__proto__.polluted eq "1"',
      'constructor.prototype.x eq 1',
      'toString eq "x"',
      'emails[value eq "x"',
      'emails[nope eq "x"]',
      'userName[value eq "x"]',
      'active gt true',
      'active eq "x"',
      'meta.created gt "yesterday"',
      'userName eq "a\\x"',
      '"a" eq "a"',
      'userName eq "a" # x',
    ]) {
      const { status, body } = await acme.find('Users', filter);
      expect([filter, status, body.scimType]).toEqual([filter, 400, 'invalidFilter']);
    }
  });

  it('that are long, deep or made to explode are refused at once', async () => {
    const many = (n: number) =>
      Array.from({ length: n }, (_, i) => `(userName eq "${i}" or title eq "${i}")`).join(' and ');
    for (const filter of [
      many(40),
      `${'('.repeat(200)}userName pr${')'.repeat(200)}`,
      `${'not ('.repeat(100)}userName pr${')'.repeat(100)}`,
      `userName eq "${'a'.repeat(3000)}"`,
      `userName eq "${'\\\\'.repeat(900)}`,
      `${'emails[value eq "'.repeat(50)}`,
    ]) {
      const { status, body } = await acme.find('Users', filter);
      expect([filter.slice(0, 40), status, body.scimType]).toEqual([
        filter.slice(0, 40),
        400,
        'invalidFilter',
      ]);
    }
    const { status, body } = await acme.find('Users', many(12));
    expect([status, body.totalResults]).toEqual([200, 0]);
  });

  it('mean what they say: not of several, and over or', async () => {
    const found = async (filter: string) =>
      (await acme.find('Users', filter)).body.Resources.map(
        (user: { userName: string }) => user.userName,
      );
    expect(
      await found(
        'not (userName eq "alice@acme.test" and active eq false) and userName sw "alice"',
      ),
    ).toEqual(['alice@acme.test']);
    expect(await found('not (userName pr)')).toEqual([]);
    expect(
      await found(
        'userName eq "nobody" or userName eq "alice@acme.test" and displayName eq "alice"',
      ),
    ).toEqual(['alice@acme.test']);
    expect(
      await found(
        '(userName eq "nobody" or userName eq "alice@acme.test") and displayName eq "nobody"',
      ),
    ).toEqual([]);
    expect(await found(`${USER}:userName eq "x"`).catch(() => 'refused')).toBe('refused');
  });
});
