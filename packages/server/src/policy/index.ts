export { APPROVAL_CHECKS, type ApprovalCheck, approvalEnd, whyNot } from './approvals.ts';
export { type CompiledPolicies, compile, type PolicySet, type RefusedRule } from './compile.ts';
export { evaluate, evaluatePlanned } from './evaluate.ts';
export type * from './facts.ts';
export { NO_FACTS } from './facts.ts';
export type { Fault, FaultCode } from './faults.ts';
export { adminIdentity, isAdminTemplate, principalIdentity } from './identity.ts';
export { listPlaces, listServers } from './list.ts';
export { type AccessMethod, type Conditional, type PendingRequest, toWire } from './method.ts';
export type * from './model.ts';
export { compileServer, compileUser, type ServerPlan, type UserPlan } from './plan.ts';
export {
  type Directory,
  directory,
  type References,
  type RequestTypeReference,
  type ServerReference,
} from './references.ts';
export { registerPolicyRoutes } from './routes.ts';
export { indexServers, type ServersIndex } from './servers.ts';
export { applyPolicy } from './service.ts';
export { createPolicyCache, type PolicyCache } from './service-cache.ts';
export { connectionOf } from './service-connection.ts';
export {
  approvalUsed,
  bestAllowed,
  type Evaluation,
  earliest,
  evaluateFresh,
  isRecorded,
  isWanted,
  pendingFor,
  proofUsed,
  type Wanted,
  type Who,
} from './service-evaluate.ts';
export { type Asking, evaluateOn, listReachable } from './service-read.ts';
export { policiesOfGroups, type RequestTypeUse, usesOfRequestTypes } from './service-uses.ts';
export { identify, type PolicyDraft, type Validation, validate } from './validate.ts';
