import { describe, expect, test } from 'vitest';
import { SERVER } from './kit.ts';
import {
  APPROVAL,
  CONDITION,
  faults,
  MFA,
  PRIVILEGE,
  WINDOW,
  withCondition,
  withPrivilege,
  withRule,
} from './written.ts';

describe('refuse, one fault and its pointer each', () => {
  const cases: [what: string, input: unknown, fault: string][] = [
    ['no privilege', withRule({ privileges: [] }), '/rules/0/privileges empty'],
    [
      'an unknown privilege',
      withPrivilege({ privilege_type: 'root' }),
      `${PRIVILEGE}/privilege_type unknown_value`,
    ],
    [
      'an unknown channel',
      withPrivilege({ privilege_type: 'vaulted_account_ssh', channels: ['agent'] }),
      `${PRIVILEGE}/channels/0 unknown_value`,
    ],
    [
      'no channel at all',
      withPrivilege({ privilege_type: 'vaulted_account_ssh', channels: [] }),
      `${PRIVILEGE}/channels empty`,
    ],
    [
      'channels of a privilege that opens none',
      withPrivilege({ privilege_type: 'reveal_password', channels: ['shell'] }),
      `${PRIVILEGE}/channels unknown_field`,
    ],
    [
      'a privilege twice, once by its Okta name',
      withRule({
        privileges: [
          { privilege_type: 'vaulted_account_ssh' },
          { privilege_type: 'password_checkout_ssh' },
        ],
      }),
      '/rules/0/privileges/1 duplicate',
    ],
    [
      'admin-level permissions of a vaulted account',
      withPrivilege({ privilege_type: 'vaulted_account_ssh', admin_level_permissions: true }),
      `${PRIVILEGE}/admin_level_permissions unknown_field`,
    ],
    [
      'a vaulted account where no selector names one',
      withRule({
        resource_selector: {
          selectors: [{ selector_type: 'individual_server', server: { name: SERVER.id } }],
        },
      }),
      `${PRIVILEGE} nothing_selected`,
    ],
    [
      'a principal account where only accounts are selected',
      withRule({
        resource_selector: {
          selectors: [
            {
              selector_type: 'individual_server_account',
              server: { name: SERVER.id },
              username: 'pamadmin1',
            },
          ],
        },
        privileges: [{ privilege_type: 'principal_account_ssh' }],
      }),
      `${PRIVILEGE} nothing_selected`,
    ],

    [
      'an unknown condition',
      withCondition({ condition_type: 'weather' }),
      `${CONDITION}/condition_type unknown_value`,
    ],
    ['a condition without a type', withCondition({}), `${CONDITION}/condition_type missing_field`],
    ['a condition that is null', withCondition(null), `${CONDITION} wrong_type`],
    [
      'a field of another condition',
      withCondition({ ...MFA, zone: 'UTC' }),
      `${CONDITION}/zone unknown_field`,
    ],
    ['a condition twice', withRule({ conditions: [MFA, MFA] }), '/rules/0/conditions/1 duplicate'],
    [
      'approval for less than a minute',
      withCondition({ ...APPROVAL, expires_after_seconds: 59 }),
      `${CONDITION}/expires_after_seconds out_of_range`,
    ],
    [
      'approval for more than 30 days',
      withCondition({ ...APPROVAL, expires_after_seconds: 2_592_001 }),
      `${CONDITION}/expires_after_seconds out_of_range`,
    ],
    [
      'approval for a fraction',
      withCondition({ ...APPROVAL, expires_after_seconds: 60.5 }),
      `${CONDITION}/expires_after_seconds out_of_range`,
    ],
    [
      'approval for a text',
      withCondition({ ...APPROVAL, expires_after_seconds: '1800' }),
      `${CONDITION}/expires_after_seconds wrong_type`,
    ],
    [
      'an unknown request type',
      withCondition({ ...APPROVAL, request_type: { name: 'x' } }),
      `${CONDITION}/request_type/name unknown_reference`,
    ],
    [
      'proof every so many days',
      withCondition({ ...MFA, re_auth_frequency_in_seconds: 86_401 }),
      `${CONDITION}/re_auth_frequency_in_seconds out_of_range`,
    ],
    [
      'an unknown strength of proof',
      withCondition({ ...MFA, acr_values: 'urn:okta:loa:2fa:any' }),
      `${CONDITION}/acr_values unknown_value`,
    ],
    [
      'a gateway condition that asks for nothing',
      withCondition({
        condition_type: 'gateway',
        traffic_forwarding: false,
        session_recording: false,
      }),
      `${CONDITION}/traffic_forwarding gateway_required`,
    ],
    [
      'recording left unsaid',
      withCondition({ condition_type: 'gateway', traffic_forwarding: true }),
      `${CONDITION}/session_recording missing_field`,
    ],
    [
      'an unknown zone',
      withCondition({ ...WINDOW, zone: 'Mars/Olympus' }),
      `${CONDITION}/zone bad_zone`,
    ],
    [
      'a bare offset as a zone',
      withCondition({ ...WINDOW, zone: '+02:00' }),
      `${CONDITION}/zone bad_zone`,
    ],
    [
      'an unknown day',
      withCondition({ ...WINDOW, days: ['monday'] }),
      `${CONDITION}/days/0 unknown_value`,
    ],
    [
      'a day twice',
      withCondition({ ...WINDOW, days: ['mon', 'mon'] }),
      `${CONDITION}/days/1 duplicate`,
    ],
    ['no day', withCondition({ ...WINDOW, days: [] }), `${CONDITION}/days empty`],
    [
      'a time that is none',
      withCondition({ ...WINDOW, from: '8:00' }),
      `${CONDITION}/from bad_time`,
    ],
    [
      'a window of no length',
      withCondition({ ...WINDOW, to: '08:00' }),
      `${CONDITION}/to bad_time`,
    ],
    [
      'a window from 24:00',
      withCondition({ ...WINDOW, from: '24:00' }),
      `${CONDITION}/from bad_time`,
    ],
    ...[
      '10.0.0.1',
      '10.0.0.1/8',
      '10.0.0.0/33',
      '::/129',
      '::ffff:10.0.0.0/104',
      'x/8',
      '10.0.0.0/08',
    ].map((cidr): [string, unknown, string] => [
      `the block ${cidr}`,
      withCondition({ condition_type: 'source_address', cidrs: [cidr] }),
      `${CONDITION}/cidrs/0 bad_cidr`,
    ]),
    [
      'no block',
      withCondition({ condition_type: 'source_address', cidrs: [] }),
      `${CONDITION}/cidrs empty`,
    ],
  ];
  test.each(cases)('%s', (_, input, fault) => {
    expect(faults(input)).toEqual([fault]);
  });
});
