import { accessRequestOperations } from './access-requests.ts';
import { auditOperations } from './audit.ts';
import { chatOperations } from './chat.ts';
import { credentialOperations } from './credentials.ts';
import { delegationOperations } from './delegations.ts';
import { directoryOperations } from './directory.ts';
import { gatewayOperations } from './gateways.ts';
import { groupRuleOperations } from './group-rules.ts';
import { inventoryOperations } from './inventory.ts';
import { mfaOperations } from './mfa.ts';
import { messageOperations } from './notifications.ts';
import { policyOperations } from './policy.ts';
import { pushOperations } from './push.ts';
import { reviewOperations } from './reviews.ts';
import { scimOperations } from './scim.ts';
import { sessionOperations } from './sessions.ts';
import { workloadOperations } from './workload.ts';

/** Every operation of the service: the contract that server, client and gateway share. */
export const operations = {
  ...inventoryOperations,
  ...accessRequestOperations,
  ...policyOperations,
  ...directoryOperations,
  ...groupRuleOperations,
  ...reviewOperations,
  ...delegationOperations,
  ...chatOperations,
  ...credentialOperations,
  ...sessionOperations,
  ...mfaOperations,
  ...gatewayOperations,
  ...auditOperations,
  ...messageOperations,
  ...scimOperations,
  ...pushOperations,
  ...workloadOperations,
} as const;

export type OperationId = keyof typeof operations;
