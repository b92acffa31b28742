import type { Configuration } from 'oidc-provider';
import { BEGUN } from './begun.ts';
import {
  ACCESS_TOKEN_SECONDS,
  CLIENT_ID,
  CLIENT_NAME,
  CODE_SECONDS,
  DEVICE_CODE_SECONDS,
  INTERACTION_SECONDS,
  REDIRECT_URIS,
  SCOPE,
} from './model.ts';
import { USER_CODE_MASK } from './user-code.ts';

const OFF = { enabled: false } as const;

/**
 * What of oidc-provider's protocols we speak, as values: one public client, codes with PKCE
 * and device codes, tokens bound to a key. What is not here is off.
 */
export const PROTOCOL = {
  clients: [
    {
      client_id: CLIENT_ID,
      client_name: CLIENT_NAME,
      application_type: 'native',
      redirect_uris: [...REDIRECT_URIS],
      response_types: ['code'],
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      token_endpoint_auth_method: 'none',
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
      scope: SCOPE,
    },
  ],
  scopes: [SCOPE],
  responseTypes: ['code'],
  clientAuthMethods: ['none'],
  claims: { acr: null, amr: null, auth_time: null, iss: null, openid: ['sub'], sid: null },
  subjectTypes: ['public'],
  extraParams: ['device_name', BEGUN],
  enabledJWA: {
    idTokenSigningAlgValues: ['ES256'],
    dPoPSigningAlgValues: ['ES256', 'EdDSA'],
  },
  features: {
    devInteractions: OFF,
    claimsParameter: OFF,
    clientCredentials: OFF,
    encryption: OFF,
    introspection: OFF,
    pushedAuthorizationRequests: OFF,
    registration: OFF,
    requestObjects: OFF,
    resourceIndicators: OFF,
    rpInitiatedLogout: OFF,
    userinfo: OFF,
    jwtResponseModes: OFF,
    revocation: {
      enabled: true,
      allowedPolicy: (_, client, token) => token.clientId === client.clientId,
    },
    dPoP: { enabled: true, allowReplay: false },
    deviceFlow: { enabled: true, charset: 'base-20', mask: USER_CODE_MASK },
  },
  formats: { bitsOfOpaqueRandomness: 256 },
  routes: {
    authorization: '/auth',
    code_verification: '/device',
    device_authorization: '/device/auth',
    jwks: '/jwks',
    revocation: '/token/revocation',
    token: '/token',
  },
  ttl: {
    AccessToken: ACCESS_TOKEN_SECONDS,
    AuthorizationCode: CODE_SECONDS,
    DeviceCode: DEVICE_CODE_SECONDS,
    IdToken: ACCESS_TOKEN_SECONDS,
    Interaction: INTERACTION_SECONDS,
    Session: CODE_SECONDS,
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  enableHttpPostMethods: false,
  allowOmittingSingleRegisteredRedirectUri: false,
  clientBasedCORS: () => false,
} satisfies Configuration;

/** What of it is reached from outside: method and path under `/oauth`. */
export const FORWARDED = [
  ['GET', '/auth'],
  ['GET', '/auth/:uid'],
  ['POST', '/device/auth'],
  ['POST', '/token'],
  ['POST', '/token/revocation'],
  ['GET', '/jwks'],
  ['GET', '/.well-known/openid-configuration'],
  ['GET', '/.well-known/oauth-authorization-server'],
] as const;
