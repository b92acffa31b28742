import type { FieldError } from '../platform/errors.ts';
import type { Provider } from './model.ts';
import { PROVIDERS, WORKFLOW_PATH } from './providers.ts';

/** A connection as somebody wrote it; its shape was checked by the schema. */
export interface Written {
  readonly provider: Provider;
  readonly issuer: string;
  readonly jwks_url?: string | undefined;
  readonly audience?: string | undefined;
  readonly rules: readonly {
    readonly claims: Readonly<Record<string, string>>;
    readonly ref_pattern?: string | undefined;
  }[];
}

export interface Surroundings {
  /** Where this deployment is reached; undefined: not configured. */
  readonly public_url: string | undefined;
  /** Hosts that may be plain HTTP, because they are this machine. */
  readonly isPlainAllowed: (hostname: string) => boolean;
}

const fault = (pointer: string, code: string, detail: string): FieldError => ({
  pointer,
  code,
  detail,
});

/** Everything that is wrong with it. Whatever it does not pin exactly, it must say so. */
export function faultsOf(written: Written, surroundings: Surroundings): FieldError[] {
  return [
    ...urlFaults('/issuer', written.issuer, surroundings),
    ...jwksFaults(written, surroundings),
    ...audienceFaults(written.audience, surroundings),
    ...written.rules.flatMap((rule, i) => ruleFaults(written.provider, rule, `/rules/${i}`)),
  ];
}

function urlFaults(pointer: string, text: string, { isPlainAllowed }: Surroundings): FieldError[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url?.protocol === 'http:' && isPlainAllowed(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || plain))
    return [fault(pointer, 'not_https', 'must be an https URL')];
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return [fault(pointer, 'not_plain', 'must have no user, query or fragment')];
  return [];
}

function jwksFaults({ provider, jwks_url }: Written, surroundings: Surroundings): FieldError[] {
  if (jwks_url !== undefined) return urlFaults('/jwks_url', jwks_url, surroundings);
  return PROVIDERS[provider].jwks_path === null
    ? [fault('/jwks_url', 'required', 'is needed for a generic provider')]
    : [];
}

/** A token that was made for somebody else must be no good here. */
function audienceFaults(audience: string | undefined, { public_url }: Surroundings): FieldError[] {
  if (public_url === undefined)
    return [fault('/audience', 'no_public_url', 'public_url of this service must be set first')];
  if (audience === undefined || audience === public_url || audience.startsWith(`${public_url}/`))
    return [];
  return [fault('/audience', 'not_ours', `must be ${public_url}, or a path below it`)];
}

type WrittenRule = Written['rules'][number];

function ruleFaults(provider: Provider, rule: WrittenRule, at: string): FieldError[] {
  const { claims, ref_pattern } = rule;
  const known = PROVIDERS[provider];
  const here = (name: string) => `${at}/claims/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const faults: FieldError[] = [];
  for (const [name, value] of Object.entries(claims)) {
    if (known.claims !== null && !known.claims.includes(name))
      faults.push(
        fault(here(name), 'unknown_claim', `is no claim of ${provider} that can be pinned`),
      );
    if (/[*?]/.test(value))
      faults.push(fault(here(name), 'wildcard', 'is compared exactly; only ref_pattern has a *'));
  }
  for (const name of known.numbers)
    if (!/^[0-9]{1,20}$/.test(claims[name] ?? ''))
      faults.push(fault(here(name), 'required', 'must be pinned, as a number'));
  if (!known.workflows.some((name) => claims[name] !== undefined))
    faults.push(fault(`${at}/claims`, 'required', `must pin one of ${known.workflows.join(', ')}`));
  return [...faults, ...refFaults(claims, ref_pattern, at)];
}

function refFaults(
  claims: WrittenRule['claims'],
  pattern: string | undefined,
  at: string,
): FieldError[] {
  if (pattern !== undefined && claims.ref !== undefined)
    return [fault(`${at}/ref_pattern`, 'twice', 'cannot stand beside the claim ref')];
  if (pattern !== undefined && !/^[A-Za-z0-9._-]+\/?[A-Za-z0-9._/*-]*$/.test(pattern))
    return [fault(`${at}/ref_pattern`, 'pattern', 'begins with what it is: refs/heads/…')];
  const free = claims.ref === undefined && pattern === undefined;
  if (claims[WORKFLOW_PATH] !== undefined && free)
    return [
      fault(
        `${at}/claims`,
        'required',
        'workflow_path needs ref or ref_pattern beside it: it is any branch’s',
      ),
    ];
  return [];
}
