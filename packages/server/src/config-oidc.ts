import { type Static, Type } from 'typebox';
import { Sources, urlOf } from './config-messages.ts';
import type { ConfigProblem, Environment } from './platform/config-sources.ts';
import { isLoopback } from './platform/networks.ts';
import type { OidcSettings } from './upstream/index.ts';

const group = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
const File = Type.String({ minLength: 1, maxLength: 4096 });
/** Not one of the service's own variables: those are settings. */
const Variable = Type.String({ pattern: '^(?!POSTERN_)[A-Z][A-Z0-9_]{0,127}$' });
const Text = Type.String({ minLength: 1, maxLength: 255 });
const Claim = Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' });
const ATTRIBUTE = '^[A-Za-z][A-Za-z0-9_-]{0,63}$';
const Values = Type.Optional(Type.Array(Text, { maxItems: 50, uniqueItems: true }));
const Proving = Type.Optional(group({ phr: Values, any: Values }));

export const OidcGroup = group({
  name: Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,60}$' })),
  issuer: Type.String({ minLength: 1, maxLength: 2048 }),
  client_id: Text,
  client_secret_file: Type.Optional(File),
  client_secret_env: Type.Optional(Variable),
  scopes: Type.Optional(
    Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200}$' }), {
      maxItems: 20,
    }),
  ),
  claims: Type.Optional(
    group({
      login: Type.Optional(Claim),
      name: Type.Optional(Claim),
      email: Type.Optional(Claim),
      /** Attribute → claim. */
      attributes: Type.Optional(
        Type.Record(Type.String({ pattern: ATTRIBUTE }), Claim, {
          maxProperties: 50,
          additionalProperties: false,
        }),
      ),
      groups: Type.Optional(
        group({
          claim: Claim,
          attribute: Type.String({ pattern: ATTRIBUTE }),
          only: Type.Array(Type.String({ pattern: '^[^|\\x00-\\x1f\\x7f]{1,200}$' }), {
            minItems: 1,
            maxItems: 100,
            uniqueItems: true,
          }),
        }),
      ),
    }),
  ),
  acr: Proving,
  amr: Proving,
  jit: Type.Optional(Type.Boolean()),
  private_hosts: Type.Optional(
    Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:_\\[\\]-]{1,253}$' }), { maxItems: 100 }),
  ),
});

interface Given {
  readonly oidc?: Static<typeof OidcGroup>;
  readonly public_url?: string;
}

/**
 * The provider that people log in with, its secret read; null where there is none. A variable
 * that held the secret is gone from `environment` afterwards.
 */
export function readOidcSettings(
  { oidc: given, public_url }: Given,
  environment: Environment,
  problems: ConfigProblem[],
): OidcSettings | null {
  if (given === undefined) return null;
  const before = problems.length;
  const { claims = {}, private_hosts = [] } = given;
  if (public_url === undefined)
    problems.push({ where: 'public_url', what: 'is needed: the provider sends browsers there' });
  const url = issuerOf(given.issuer, private_hosts);
  if (url === undefined)
    problems.push({
      where: 'oidc.issuer',
      what: 'must be https://… without user, query and fragment (http: only on loopback, with its host in oidc.private_hosts)',
    });
  const { groups } = claims;
  if (groups !== undefined && Object.hasOwn(claims.attributes ?? {}, groups.attribute))
    problems.push({ where: 'oidc.claims.groups.attribute', what: 'is another claim’s already' });
  const client_secret = secretOf(given, environment, problems);
  if (problems.length > before || url === undefined) return null;
  return {
    name: given.name ?? url.hostname,
    issuer: given.issuer,
    client_id: given.client_id,
    client_secret,
    scopes: [...new Set(['openid', ...(given.scopes ?? ['profile', 'email'])])],
    claims: {
      login: claims.login ?? 'preferred_username',
      name: claims.name ?? 'name',
      email: claims.email ?? 'email',
      attributes: claims.attributes ?? {},
      groups,
    },
    acr: { phr: given.acr?.phr ?? [], any: given.acr?.any ?? [] },
    amr: { phr: given.amr?.phr ?? [], any: given.amr?.any ?? [] },
    jit: given.jit ?? false,
    private_hosts,
  };
}

function secretOf(
  { client_secret_file: file, client_secret_env: env }: Static<typeof OidcGroup>,
  environment: Environment,
  problems: ConfigProblem[],
): string {
  const known = problems.length;
  const where = 'oidc.client_secret';
  const sources = new Sources(environment, problems);
  const text = sources.one(where, { file, env });
  sources.forget();
  if (problems.length > known) return '';
  if (text === undefined)
    problems.push({ where, what: 'is needed: set client_secret_file or client_secret_env' });
  else if (!/^[\x20-\x7e]{8,1024}$/.test(text))
    problems.push({ where, what: 'must be a line of 8 to 1024 characters of ASCII' });
  return text ?? '';
}

function issuerOf(issuer: string, private_hosts: readonly string[]): URL | undefined {
  const url = urlOf(issuer, ['https:', 'http:']);
  if (url === undefined || url.username !== '' || url.password !== '') return undefined;
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(issuer)) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isFine =
    url.protocol === 'https:' || (isLoopback(host) && private_hosts.includes(url.hostname));
  return isFine ? url : undefined;
}
