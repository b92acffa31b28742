import { EXIT, type RequestTypeFinding } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { id, REQUEST_TYPE } from '../fake/things.ts';

const { service, admin } = script();
const NAME = REQUEST_TYPE.name;

const lists = () => service().on('listRequestTypes', () => ({ body: { list: [REQUEST_TYPE] } }));

describe('sft-admin request-types', () => {
  test('list: what runs, by version', async () => {
    lists();
    const { out } = await admin('request-types list');
    expect(out).toMatch(/^NAME .*STATE .*VERSION .*PURPOSE .*STEPS .*DRAFT/);
    expect(out).toMatch(/Server access approval +published +2 +server_access +Server manager +-/);
  });

  test('show: who decides, and what comes when nobody does', async () => {
    service().on('listRequestTypes', () => ({
      body: {
        list: [
          {
            ...REQUEST_TYPE,
            definition: {
              ...REQUEST_TYPE.definition,
              steps: [
                {
                  name: 'Owners',
                  needs: {
                    all: [
                      { any: 2, of: ['group:linux-approvers'] },
                      { any: 1, of: ['resource_owner'] },
                    ],
                  },
                  timeout: '8h',
                  on_timeout: { escalate_to: ['group:security'] },
                },
              ],
            },
          },
        ],
      },
    }));
    const { out } = await admin(['request-types', 'show', NAME]);
    expect(out).toContain(
      'Owners: (2 of group:linux-approvers and 1 of resource_owner); after 8h escalates to group:security\n',
    );
    expect(out).toMatch(/Chat decides: +no\n/);
  });

  test.each(['show', 'publish', 'retire'])('%s of one that is not there: 77', async (verb) => {
    lists();
    const { exit, err } = await admin(['request-types', verb, 'Another']);
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('There is no request type Another.');
  });

  test('publish: the draft becomes a version', async () => {
    lists().on('publishRequestType', () => ({ body: { ...REQUEST_TYPE, published_version: 3 } }));
    const { out } = await admin(['request-types', 'publish', NAME]);
    expect(out).toBe('Server access approval: version 3 runs.\n');
    expect(service().last('publishRequestType').params.id).toBe(id(20));
  });

  test('publish of one that could never be approved: the service’s words, 64', async () => {
    lists().on('publishRequestType', () =>
      problem('request_type_unsatisfiable', 'Step "Owners" could never be approved.'),
    );
    const { exit, err } = await admin(['request-types', 'publish', NAME]);
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('Step "Owners" could never be approved.');
  });

  test('retire', async () => {
    lists().on('retireRequestType', () => ({ status: 204 }));
    const { exit, out } = await admin(['request-types', 'retire', NAME]);
    expect([exit, out]).toEqual([0, `${NAME} is out of use.\n`]);
  });

  test('lint: whom it could not serve, and why, in names', async () => {
    const finding: RequestTypeFinding = {
      request_type: { id: id(20), name: NAME },
      version: 2,
      policy: { id: id(80), name: 'Linux administration' },
      rule: 'Accounts',
      reason: 'no_eligible_approver',
      step: 'Server manager',
      missing: '1 of manager (0 could)',
      people: [
        { id: id(10), name: 'Ana' },
        { id: id(11), name: 'Dana\u202e Reyes' },
      ],
    };
    const outside = { ...finding, reason: 'not_in_audience' as const, step: null, missing: null };
    service().on('lintRequestTypes', () => ({ body: { list: [finding, outside] } }));
    const { exit, out } = await admin('request-types lint');
    expect(exit).toBe(0);
    expect(out).toContain('needs 1 of manager (0 could)');
    expect(out).toContain('not in its audience');
    expect(out).not.toContain('\u202e');
    service().on('lintRequestTypes', () => ({ body: { list: [] } }));
    expect((await admin('request-types lint')).err).toBe('Everybody could be served.\n');
  });
});
