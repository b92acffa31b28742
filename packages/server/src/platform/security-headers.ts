/**
 * What every answer tells a browser (OWASP REST Security): it is data, to be run, framed,
 * embedded and guessed at by nobody. A constant, and no more than answers of JSON need: each
 * header costs as much as a look at the policies. Whatever serves documents adds its own.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none';base-uri 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
