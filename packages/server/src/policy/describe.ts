import type { Seconds } from '@postern/shared';
import { type Condition, type ConditionOf, WEEKDAYS } from './model.ts';

/** What a condition asks for, for people; the same whether or not it is met. */
export function describe(condition: Condition): string {
  switch (condition.condition_type) {
    case 'access_request': {
      const period = duration(condition.expires_after_seconds);
      return `${condition.request_type.name}, then ${period}`;
    }
    case 'mfa':
      return describeMfa(condition);
    case 'gateway':
      return condition.session_recording ? 'through the gateway, recorded' : 'through the gateway';
    case 'time_window':
      return `${weekdays(condition)} ${condition.from}–${condition.to} ${condition.zone}`;
    case 'source_address':
      return `from ${condition.cidrs.join(', ')}`;
  }
}

/** `45 s`, `30 min`, `8 h`, `2 days`: in the largest unit that divides it. */
export function duration(seconds: Seconds): string {
  if (seconds % 86_400 === 0 && seconds > 86_400) return `${seconds / 86_400} days`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

function describeMfa(condition: ConditionOf<'mfa'>): string {
  const proof = condition.acr_values === 'phr' ? 'phishing-resistant MFA' : 'MFA';
  const age = condition.re_auth_frequency_in_seconds;
  return age === 0 ? `${proof} for every connection` : `${proof} within ${duration(age)}`;
}

/** `mon–fri` when the days are consecutive, else `mon, wed`. */
function weekdays({ days }: ConditionOf<'time_window'>): string {
  const first = days[0] === undefined ? -1 : WEEKDAYS.indexOf(days[0]);
  const isRun = days.length > 2 && days.every((day, i) => WEEKDAYS.indexOf(day) === first + i);
  return isRun ? `${days[0]}–${days[days.length - 1]}` : days.join(', ');
}
