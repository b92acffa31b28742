import type { DocumentKind, Role } from '@postern/shared';

/** People and roles are pam_admin's; whatever a policy selects on, or is, is security_admin's. */
const NEEDED: Readonly<Record<DocumentKind, Role>> = {
  Group: 'pam_admin',
  GroupRule: 'pam_admin',
  User: 'pam_admin',
  ResourceGroup: 'security_admin',
  Server: 'security_admin',
  RequestType: 'security_admin',
  SecurityPolicy: 'security_admin',
};

/** Documents that the caller may not apply, each with the role it needs. */
export const notPermitted = <D extends { readonly kind: DocumentKind }>(
  documents: readonly D[],
  roles: ReadonlySet<Role>,
): { readonly document: D; readonly needed: Role }[] =>
  documents
    .map((document) => ({ document, needed: NEEDED[document.kind] }))
    .filter(({ needed }) => !roles.has(needed));
