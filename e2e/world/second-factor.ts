import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** From now on Ana needs no approval for pamadmin2, and a second factor at each connection. */
export async function asksAtEachConnection(
  { directory, people }: Pick<World, 'directory' | 'people'>,
  acr: 'any' | 'phr',
): Promise<void> {
  const file = join(directory, 'second-factor.yaml');
  writeFileSync(file, secondFactorPolicy(acr));
  const { code, stderr } = await people.sam.admin('apply', '-f', file);
  if (code !== 0) throw new Error(stderr);
}

/** The policy that says so. */
export const secondFactorPolicy = (acr: 'any' | 'phr'): string => `
kind: SecurityPolicy
name: Second factor
active: true
principals: {user_groups: [{name: linux-approvers}]}
rules:
  - name: At each connection
    resource_type: server_based_resource
    resource_selector:
      selectors:
        - selector_type: server_label
          server_selector: {labels: {env: demo}}
          account_selector_type: username
          account_selector: {usernames: [pamadmin2]}
    privileges: [{privilege_type: vaulted_account_ssh, channels: [shell, exec]}]
    conditions:
      - {condition_type: mfa, acr_values: ${acr}, re_auth_frequency_in_seconds: 0}
      - {condition_type: gateway, traffic_forwarding: true, session_recording: true}
`;
