import type { Provider } from './model.ts';

/** What is known of a provider's tokens. */
export interface ProviderFacts {
  /** Claims that a rule may name; null: any. */
  readonly claims: readonly string[] | null;
  /** Numbers that a rule must pin: a name can come to belong to others. */
  readonly numbers: readonly string[];
  /** Of these a rule must pin one: where the code of the job is. */
  readonly workflows: readonly string[];
  /** Where its keys are, below the issuer; null: the connection must say. */
  readonly jwks_path: string | null;
}

/** Derived from a token: the workflow's path in its own repository, taken from the commit that it runs on. */
export const WORKFLOW_PATH = 'workflow_path';

/**
 * GitHub: https://docs.github.com/actions/reference/security/oidc
 * GitLab: https://docs.gitlab.com/ci/secrets/id_token_authentication
 */
export const PROVIDERS: Readonly<Record<Provider, ProviderFacts>> = {
  github: {
    claims: [
      ...['repository_id', 'repository_owner_id', 'repository', 'repository_owner'],
      ...['repository_visibility', 'workflow_ref', 'workflow_sha', 'job_workflow_ref'],
      ...['job_workflow_sha', WORKFLOW_PATH, 'ref', 'ref_type', 'ref_protected', 'environment'],
      ...['environment_node_id', 'event_name', 'actor', 'actor_id', 'runner_environment'],
      ...['enterprise', 'enterprise_id', 'sub'],
    ],
    numbers: ['repository_id', 'repository_owner_id'],
    workflows: ['workflow_ref', 'job_workflow_ref', WORKFLOW_PATH],
    jwks_path: '/.well-known/jwks',
  },
  gitlab: {
    claims: [
      ...['project_id', 'namespace_id', 'project_path', 'namespace_path', 'project_visibility'],
      ...['ci_config_ref_uri', 'ci_config_sha', WORKFLOW_PATH, 'ref', 'ref_path', 'ref_type'],
      ...['ref_protected', 'environment', 'environment_protected', 'deployment_tier'],
      ...['pipeline_source', 'user_id', 'user_login', 'user_access_level', 'runner_id'],
      ...['runner_environment', 'sub'],
    ],
    numbers: ['project_id', 'namespace_id'],
    workflows: ['ci_config_ref_uri', WORKFLOW_PATH],
    jwks_path: '/oauth/discovery/keys',
  },
  generic: { claims: null, numbers: [], workflows: ['sub'], jwks_path: null },
};
