import { seconds } from '@postern/shared';
import { expect, test } from 'vitest';
import { describe, duration } from '../../src/policy/describe.ts';
import type { Condition } from '../../src/policy/index.ts';
import { WEEKDAYS } from '../../src/policy/model.ts';

test.each([
  [45, '45 s'],
  [60, '1 min'],
  [90, '90 s'],
  [1800, '30 min'],
  [3600, '1 h'],
  [5400, '90 min'],
  [86_400, '24 h'],
  [172_800, '2 days'],
  [180_000, '50 h'],
])('%i seconds are %s', (n, text) => {
  expect(duration(seconds(n))).toBe(text);
});

test.each<[Condition, string]>([
  [
    { condition_type: 'mfa', acr_values: 'any', re_auth_frequency_in_seconds: seconds(0) },
    'MFA for every connection',
  ],
  [
    { condition_type: 'mfa', acr_values: 'any', re_auth_frequency_in_seconds: seconds(900) },
    'MFA within 15 min',
  ],
  [
    { condition_type: 'mfa', acr_values: 'phr', re_auth_frequency_in_seconds: seconds(0) },
    'phishing-resistant MFA for every connection',
  ],
  [
    { condition_type: 'gateway', traffic_forwarding: true, session_recording: false },
    'through the gateway',
  ],
  [
    { condition_type: 'time_window', zone: 'UTC', days: WEEKDAYS, from: '00:00', to: '06:00' },
    'mon–sun 00:00–06:00 UTC',
  ],
  [
    {
      condition_type: 'time_window',
      zone: 'UTC',
      days: ['mon', 'wed', 'fri'],
      from: '08:00',
      to: '09:00',
    },
    'mon, wed, fri 08:00–09:00 UTC',
  ],
  [
    { condition_type: 'source_address', cidrs: ['10.0.0.0/8', '::1/128'] },
    'from 10.0.0.0/8, ::1/128',
  ],
])('%o reads: %s', (condition, text) => {
  expect(describe(condition)).toBe(text);
});
