import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../src/apply/documents.ts';

describe('documents', () => {
  const faults = (...sent: Record<string, unknown>[]) => {
    const read = readDocuments(sent);
    return read.ok ? [] : read.faults.map((fault) => `${fault.pointer} ${fault.code}`);
  };

  test('each is held against the schema of its kind, and points at what is wrong', () => {
    expect(
      faults(
        { kind: 'Group', name: 'ok' },
        { kind: 'Group', name: 7, roles: ['root'], extra: 1, 'a/b~': 2 },
        { kind: 'User', login: 'x' },
        {
          kind: 'Server',
          hostname: 'h',
          resource_group: 'r',
          project: 'p',
          access_address: 'a',
          access_port: 0,
        },
      ),
    ).toEqual([
      '/documents/1/extra unknown_field',
      '/documents/1/a~1b~0 unknown_field',
      '/documents/1/name type',
      '/documents/1/roles/0 anyOf',
      '/documents/2/name required',
      '/documents/3/access_port minimum',
    ]);
  });

  test('an unknown kind is answered with what is allowed', () => {
    const read = readDocuments([{ kind: 'Robot' }, { kind: 'toString' }]);
    expect(read).toMatchObject({
      ok: false,
      faults: [
        {
          pointer: '/documents/0/kind',
          code: 'unknown_kind',
          detail:
            'is not a kind of document; allowed: Group, User, GroupRule, ResourceGroup, Server, RequestType, SecurityPolicy',
        },
        { pointer: '/documents/1/kind' },
      ],
    });
  });

  test('a fault that stands alone is one, wherever it is', () => {
    const server = { hostname: 'h', resource_group: 'r', project: 'p', access_address: 'a' };
    expect(faults({ kind: 'Group', name: 'g', roles: ['root'] })).toEqual([
      '/documents/0/roles/0 anyOf',
    ]);
    const credential = { type: 'password' };
    expect(
      faults({ kind: 'Server', ...server, accounts: [{ username: 'x', credential }] }),
    ).toEqual(['/documents/0/accounts/0/credential anyOf']);
  });

  test('two about one thing are refused', () => {
    const ana = { kind: 'User', login: 'ana', name: 'Ana' };
    expect(faults(ana, { kind: 'Group', name: 'ana' }, ana)).toEqual(['/documents/2 twice']);
  });

  test('what is wrong is said without the secret beside it', () => {
    const credential = { type: 'password', password: 'hunter2 hunter2', extra: 'hunter2' };
    const server = {
      kind: 'Server',
      hostname: 'h',
      resource_group: 'r',
      project: 'p',
      access_address: 'a',
    };
    const read = readDocuments([{ ...server, accounts: [{ username: 'x', credential }] }]);
    expect(read.ok).toBe(false);
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });

  test('whatever is sent is read or refused, with at most a hundred faults, and never throws', () => {
    const kinds = fc.constantFrom(
      'Group',
      'User',
      'Server',
      'ResourceGroup',
      'RequestType',
      'SecurityPolicy',
      'X',
    );
    const document = fc.tuple(kinds, fc.object()).map(([kind, more]) => ({ ...more, kind }));
    fc.assert(
      fc.property(fc.array(document, { maxLength: 5 }), (documents) => {
        const read = readDocuments(documents);
        if (!read.ok) expect(read.faults.length).toBeGreaterThan(0);
      }),
    );
    const many = Array.from({ length: 500 }, () => ({ kind: 'X' }));
    expect(faults(...many)).toHaveLength(100);
  });
});
