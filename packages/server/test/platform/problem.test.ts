import { PROBLEMS } from '@postern/shared';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { toProblem } from '../../src/platform/problem.ts';

test('a refusal becomes its problem document', () => {
  const refusal = new Refusal('policy_invalid', 'Rule 1 has no name.', {
    next: 'sft-admin policy lint',
    errors: [{ pointer: '/rules/0/name', code: 'required', detail: 'required' }],
  });
  expect(toProblem(refusal, 't1')).toEqual([
    {
      type: 'urn:postern:policy_invalid',
      title: PROBLEMS.policy_invalid.title,
      status: 422,
      detail: 'Rule 1 has no name.',
      code: 'policy_invalid',
      trace_id: 't1',
      next: 'sft-admin policy lint',
      errors: [{ pointer: '/rules/0/name', code: 'required', detail: 'required' }],
    },
    'theirs',
  ]);
});

test.each([new Error('password=hunter2'), 'hunter2', undefined, { detail: 'hunter2' }])(
  'what we did not foresee is internal and says nothing of itself',
  (error) => {
    const [problem, fault] = toProblem(error, 't1');
    expect(problem).toMatchObject({ code: 'internal', status: 500, trace_id: 't1' });
    expect(fault).toBe('ours');
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  },
);

test.each(['ECONNREFUSED', '57P01', '08006', '53300'])(
  'the database is away (%s): unavailable, not a bug',
  (code) => {
    const [problem] = toProblem(Object.assign(new Error('x'), { code }), 't1');
    expect(problem).toMatchObject({ code: 'unavailable', status: 503 });
  },
);
