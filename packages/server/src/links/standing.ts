/** A link that is neither used nor expired, with what has become of the things it is bound to. */
export interface Link {
  readonly id: string;
  readonly request_id: string;
  readonly step: number;
  readonly user_id: string;
  readonly user_name: string;
  readonly user_login: string;
  readonly user_status: string;
  readonly requester_id: string;
  readonly request_state: string;
  readonly current_step: number;
}

/**
 * Why there is nothing to decide with this link, for whoever holds it; undefined: there is.
 * That there is something to decide does not say who may.
 */
export function closedBecause(link: Link): string | undefined {
  if (link.user_status !== 'ACTIVE')
    return 'The account that this link was made for is not active.';
  if (link.request_state !== 'pending')
    return `The request is ${link.request_state}: there is nothing to decide any more.`;
  if (link.current_step !== link.step)
    return 'The step that this link was made for is over; another one is being decided now.';
  return undefined;
}
