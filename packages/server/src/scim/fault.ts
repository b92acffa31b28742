/** RFC 7644 §3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue';

/** How SCIM says no. `message` is public text. Thrown in a transaction it rolls it back. */
export class ScimFault extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;

  constructor(status: number, scimType: ScimType | undefined, detail: string) {
    super(detail);
    this.name = 'ScimFault';
    this.status = status;
    this.scimType = scimType;
  }
}

export const badValue = (detail: string): ScimFault => new ScimFault(400, 'invalidValue', detail);
export const badSyntax = (detail: string): ScimFault => new ScimFault(400, 'invalidSyntax', detail);
export const badPath = (detail: string): ScimFault => new ScimFault(400, 'invalidPath', detail);
export const badFilter = (detail: string): ScimFault => new ScimFault(400, 'invalidFilter', detail);
export const immutable = (name: string): ScimFault =>
  new ScimFault(400, 'mutability', `${name} is read-only.`);
export const notUnique = (detail: string): ScimFault => new ScimFault(409, 'uniqueness', detail);
export const noSuch = (what: string): ScimFault =>
  new ScimFault(404, undefined, `There is no such ${what}.`);
