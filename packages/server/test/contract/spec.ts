/** What an operation is tried on, and who stands to it how. */
export interface Thing {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Logins of those who stand to it in the relation. */
  readonly self?: string;
  readonly approver_of?: string;
  readonly owner_of?: string;
}

export interface Spec {
  /** Everybody stands to it as `self`: it is about the caller. */
  readonly own?: true;
  /** What a stranger with the role is told of it, when that is not 404. */
  readonly stranger?: string;
  make(): Promise<Thing>;
}
