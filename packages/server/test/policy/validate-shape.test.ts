import { describe, expect, test } from 'vitest';
import { LABELLED, policyInput, ruleInput, SERVER } from './kit.ts';
import { faults, SELECTOR, withRule, withSelector } from './written.ts';

describe('refuse, one fault and its pointer each', () => {
  const cases: [what: string, input: unknown, fault: string][] = [
    ['nothing', undefined, ' missing_field'],
    ['null', null, ' wrong_type'],
    ['a list', [], ' wrong_type'],
    ['an unknown field', policyInput({ deny: true }), '/deny unknown_field'],
    ['a field with a slash in its name', policyInput({ 'a/b~c': 1 }), '/a~1b~0c unknown_field'],
    ['an id made up by the writer', policyInput({ id: 'x' }), '/id unknown_field'],
    [
      'a prototype by name',
      JSON.parse(JSON.stringify(policyInput()).replace('{', '{"__proto__":{},')),
      '/__proto__ unknown_field',
    ],
    ['no name', policyInput({ name: undefined }), '/name missing_field'],
    ['an empty name', policyInput({ name: '' }), '/name empty'],
    ['a name that is too long', policyInput({ name: 'x'.repeat(201) }), '/name too_long'],
    ['a name that reorders text', policyInput({ name: 'a\u202eb' }), '/name unprintable'],
    ['active left out', policyInput({ active: undefined }), '/active missing_field'],
    ['active as a text', policyInput({ active: 'yes' }), '/active wrong_type'],
    ['a description that is no text', policyInput({ description: 7 }), '/description wrong_type'],
    ['no principals', policyInput({ principals: undefined }), '/principals missing_field'],
    ['no groups', policyInput({ principals: {} }), '/principals/user_groups missing_field'],
    [
      'empty groups',
      policyInput({ principals: { user_groups: [] } }),
      '/principals/user_groups empty',
    ],
    [
      'an unknown principal',
      policyInput({ principals: { users: [], user_groups: [{ name: 'linux-users' }] } }),
      '/principals/users unknown_field',
    ],
    [
      'an unknown group',
      policyInput({ principals: { user_groups: [{ name: 'nobody' }] } }),
      '/principals/user_groups/0/name unknown_reference',
    ],
    [
      'a group by neither id nor name',
      policyInput({ principals: { user_groups: [{}] } }),
      '/principals/user_groups/0 missing_field',
    ],
    [
      'a group whose id and name differ',
      policyInput({
        principals: { user_groups: [{ id: 'linux-users', name: 'linux-approvers' }] },
      }),
      '/principals/user_groups/0/name reference_mismatch',
    ],
    [
      'a group twice',
      policyInput({
        principals: { user_groups: [{ name: 'linux-users' }, { id: 'linux-users' }] },
      }),
      '/principals/user_groups/1 duplicate',
    ],
    [
      'an unknown resource group',
      policyInput({ resource_group: { name: 'nowhere' } }),
      '/resource_group/name unknown_reference',
    ],
    ['no rules', policyInput({ rules: [] }), '/rules empty'],
    ['rules as an object', policyInput({ rules: {} }), '/rules wrong_type'],
    [
      '21 rules',
      policyInput({ rules: Array.from({ length: 21 }, (_, i) => ruleInput(`R${i}`)) }),
      '/rules too_many',
    ],
    [
      'two rules of one name',
      policyInput({ rules: [ruleInput('R1'), ruleInput('R1')] }),
      '/rules/1/name duplicate',
    ],
    ['an unknown field of a rule', withRule({ priority: 1 }), '/rules/0/priority unknown_field'],
    ['a rule id made up', withRule({ id: 'x' }), '/rules/0/id unknown_reference'],
    [
      'another resource type',
      withRule({ resource_type: 'secret_based_resource' }),
      '/rules/0/resource_type unknown_value',
    ],
    [
      'a checkout of no time',
      withRule({ override_checkout_duration_in_seconds: 0 }),
      '/rules/0/override_checkout_duration_in_seconds out_of_range',
    ],
    [
      'no selectors',
      withRule({ resource_selector: { selectors: [] } }),
      '/rules/0/resource_selector/selectors empty',
    ],

    [
      'an unknown selector',
      withSelector({ selector_type: 'everything' }),
      `${SELECTOR}/selector_type unknown_value`,
    ],
    ['a selector that is a text', withSelector('all'), `${SELECTOR} wrong_type`],
    [
      'an unknown server',
      withSelector({ selector_type: 'individual_server', server: { name: 'x' } }),
      `${SELECTOR}/server/name unknown_reference`,
    ],
    [
      'a field of another selector',
      withSelector({
        selector_type: 'individual_server',
        server: { name: SERVER.id },
        username: 'root',
      }),
      `${SELECTOR}/username unknown_field`,
    ],
    [
      'an account without its name',
      withSelector({ selector_type: 'individual_server_account', server: { name: SERVER.id } }),
      `${SELECTOR}/username missing_field`,
    ],
    [
      'an account by wildcard',
      withSelector({
        selector_type: 'individual_server_account',
        server: { name: SERVER.id },
        username: 'pam*',
      }),
      `${SELECTOR}/username wildcard`,
    ],
    [
      'an account with a space',
      withSelector({
        selector_type: 'individual_server_account',
        server: { name: SERVER.id },
        username: 'a b',
      }),
      `${SELECTOR}/username bad_username`,
    ],
    [
      'a label selector without labels',
      withSelector({ ...LABELLED, server_selector: { labels: {} } }),
      `${SELECTOR}/server_selector/labels empty`,
    ],
    [
      'a label selector with no labels field',
      withSelector({ ...LABELLED, server_selector: {} }),
      `${SELECTOR}/server_selector/labels missing_field`,
    ],
    [
      'a label that is a number',
      withSelector({ ...LABELLED, server_selector: { labels: { env: 1 } } }),
      `${SELECTOR}/server_selector/labels/env wrong_type`,
    ],
    [
      'a label by wildcard',
      withSelector({ ...LABELLED, server_selector: { labels: { env: '*' } } }),
      `${SELECTOR}/server_selector/labels/env wildcard`,
    ],
    [
      'an unknown account selector',
      withSelector({ ...LABELLED, account_selector_type: 'all' }),
      `${SELECTOR}/account_selector_type unknown_value`,
    ],
    [
      'usernames of none',
      withSelector({ ...LABELLED, account_selector_type: 'none' }),
      `${SELECTOR}/account_selector unknown_field`,
    ],
    [
      'an empty list of usernames',
      withSelector({ ...LABELLED, account_selector: { usernames: [] } }),
      `${SELECTOR}/account_selector/usernames empty`,
    ],
    [
      'a username twice',
      withSelector({ ...LABELLED, account_selector: { usernames: ['a', 'a'] } }),
      `${SELECTOR}/account_selector/usernames/1 duplicate`,
    ],
    [
      'a wildcard among usernames',
      withSelector({ ...LABELLED, account_selector: { usernames: ['a', '*'] } }),
      `${SELECTOR}/account_selector/usernames/1 wildcard`,
    ],
    [
      'a server outside the resource group',
      policyInput({
        resource_group: { name: 'demo' },
        rules: [
          ruleInput('R1', {
            resource_selector: {
              selectors: [
                { selector_type: 'individual_server', server: { name: 'elsewhere' } },
                LABELLED,
              ],
            },
          }),
        ],
      }),
      `${SELECTOR}/server other_resource_group`,
    ],
  ];
  test.each(cases)('%s', (_, input, fault) => {
    expect(faults(input)).toEqual([fault]);
  });
});
