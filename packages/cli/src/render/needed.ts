import { type AccessRequest, neededText } from '@postern/shared';

/** Who can still bring a request further, e.g. `Dana Reyes or 2 people in linux-approvers`. */
export function stillNeeded(request: AccessRequest): string {
  const step = request.steps.find((s) => s.state === 'current');
  return neededText(step?.still_needed ?? []) || 'nobody at present';
}
