import { accessRequestOperations } from './access-requests.ts';
import { auditOperations } from './audit.ts';
import { directoryOperations } from './directory.ts';
import { gatewayOperations } from './gateways.ts';
import { inventoryOperations } from './inventory.ts';
import { policyOperations } from './policy.ts';
import { sessionOperations } from './sessions.ts';

/** Every operation of the service: the contract that server, client and gateway share. */
export const operations = {
  ...inventoryOperations,
  ...accessRequestOperations,
  ...policyOperations,
  ...directoryOperations,
  ...sessionOperations,
  ...gatewayOperations,
  ...auditOperations,
} as const;

export type OperationId = keyof typeof operations;
