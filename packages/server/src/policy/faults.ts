/** Why a policy is not valid. A closed list: the codes of a problem's `errors[]`. */
export type FaultCode =
  | 'wrong_type'
  | 'missing_field'
  | 'unknown_field'
  | 'unknown_value'
  | 'empty'
  | 'too_many'
  | 'too_long'
  | 'unprintable'
  | 'out_of_range'
  | 'duplicate'
  | 'wildcard'
  | 'bad_username'
  | 'bad_zone'
  | 'bad_time'
  | 'bad_cidr'
  | 'unknown_reference'
  | 'reference_mismatch'
  | 'other_resource_group'
  | 'wrong_purpose'
  | 'not_published'
  | 'no_admin_account'
  | 'nothing_selected'
  | 'gateway_required';

export interface Fault {
  /** Where, as a JSON Pointer (RFC 6901) into what was written. */
  readonly pointer: string;
  readonly code: FaultCode;
  /** What is wrong and what to do, in one sentence. */
  readonly detail: string;
}

/** A place in what was written, and the list into which faults found there go. */
export class Place {
  readonly pointer: string;
  readonly faults: Fault[];

  constructor(faults: Fault[], pointer = '') {
    this.faults = faults;
    this.pointer = pointer;
  }

  at(key: string | number): Place {
    const token = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
    return new Place(this.faults, `${this.pointer}/${token}`);
  }

  /** Records a fault. Answers undefined, which is what every reader answers for a faulty value. */
  fault(code: FaultCode, detail: string): undefined {
    this.faults.push({ pointer: this.pointer, code, detail });
    return undefined;
  }
}
