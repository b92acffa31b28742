import type { AccessRequest, Session } from '@postern/shared';

/** What the service said and must therefore remember, whatever is killed afterwards. */
export class Journal {
  /** By id, the newest state that an answer showed. */
  readonly requests = new Map<string, AccessRequest>();
  /** Sessions that were answered with 201, by id. */
  readonly opened = new Map<string, Session>();
  /** Sessions in which a command ran on the target, to its end. */
  readonly ran = new Set<string>();
  /** Ids of audit events that somebody read. */
  readonly events = new Set<string>();

  saw(request: AccessRequest): void {
    const before = this.requests.get(request.id);
    if (before === undefined || seqOf(before) <= seqOf(request))
      this.requests.set(request.id, request);
  }

  /** As it is now: what is acknowledged later is not asked of an earlier reading. */
  snapshot(): Journal {
    const copy = new Journal();
    for (const [id, request] of this.requests) copy.requests.set(id, request);
    for (const [id, session] of this.opened) copy.opened.set(id, session);
    for (const id of this.ran) copy.ran.add(id);
    for (const id of this.events) copy.events.add(id);
    return copy;
  }
}

/** A request's ETag counts its changes. */
export const seqOf = (request: AccessRequest): number => Number(request.etag);

/** Those of the first that are not in the second. */
export const missing = (of: Iterable<string>, from: ReadonlySet<string>): string[] =>
  [...of].filter((id) => !from.has(id));
