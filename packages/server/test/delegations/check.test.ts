import { instant, plus, seconds } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import {
  FARTHEST_START,
  LONGEST_DELEGATION,
  type Person,
  refusalOf,
  type Wish,
} from '../../src/delegations/check.ts';

const NOW = instant(Date.UTC(2026, 0, 5, 12));
const DAY = seconds(86_400);

const person = (id: string, more: Partial<Person> = {}): Person => ({
  id,
  name: `Test ${id}`,
  type: 'human',
  status: 'ACTIVE',
  ...more,
});
const wish = (more: Partial<Wish> = {}): Wish => ({
  from: person('dana'),
  to: person('ana'),
  starts_at: NOW,
  ends_at: plus(NOW, DAY),
  makers: ['dana'],
  now: NOW,
  ...more,
});
const refused = (more: Partial<Wish>) => {
  const found = refusalOf(wish(more));
  return found === undefined ? 'made' : `${found.pointer} ${found.code}`;
};

describe('who may stand in for whom', () => {
  it('somebody for a person, for a while', () => expect(refused({})).toBe('made'));

  it('nobody for himself', () => expect(refused({ to: person('dana') })).toBe('/to same_person'));

  it('no service user, at either end', () => {
    expect(refused({ from: person('ci', { type: 'service' }) })).toBe('/from service_user');
    expect(refused({ to: person('ci', { type: 'service' }) })).toBe('/to service_user');
  });

  it.each(['DISABLED', 'DELETED', 'whatever'])('nobody who is %s, at either end', (status) => {
    expect(refused({ from: person('dana', { status }) })).toBe('/from inactive');
    expect(refused({ to: person('ana', { status }) })).toBe('/to inactive');
  });

  it('an admin arranges it for others', () => expect(refused({ makers: ['sam'] })).toBe('made'));

  it('attack: an admin arranges the votes of others for himself', () => {
    expect(refused({ to: person('sam'), makers: ['sam'] })).toBe('/to arranged_by_stand_in');
  });

  it('attack: who issued a token makes with it a stand-in to himself', () => {
    expect(refused({ to: person('pat'), makers: ['dana', 'pat'] })).toBe(
      '/to arranged_by_stand_in',
    );
    expect(refused({ to: person('pat'), makers: ['sam', 'pat'] })).toBe('/to arranged_by_stand_in');
  });

  it('not from the past, not from farther than a year ahead', () => {
    expect(refused({ starts_at: plus(NOW, seconds(-1)) })).toBe('/starts_at out_of_range');
    const start = plus(NOW, FARTHEST_START);
    expect(refused({ starts_at: start, ends_at: plus(start, DAY) })).toBe('made');
    const late = plus(start, seconds(1));
    expect(refused({ starts_at: late, ends_at: plus(late, DAY) })).toBe('/starts_at out_of_range');
  });

  it('it ends, after it starts, and at most 90 days later', () => {
    expect(refused({ ends_at: NOW })).toBe('/ends_at out_of_range');
    expect(refused({ ends_at: plus(NOW, seconds(-1)) })).toBe('/ends_at out_of_range');
    expect(refused({ ends_at: plus(NOW, LONGEST_DELEGATION) })).toBe('made');
    expect(refused({ ends_at: plus(plus(NOW, LONGEST_DELEGATION), seconds(1)) })).toBe(
      '/ends_at out_of_range',
    );
  });
});
