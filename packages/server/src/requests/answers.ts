import { type Instant, parseDuration, plus, printableLines, secondsBetween } from '@postern/shared';
import { endOfDate } from './dates.ts';
import { type Fault, fault, type Place, under } from './faults.ts';
import type { ChoiceField, DateField, DurationField, Field, TextField } from './model.ts';

export type Answers = Readonly<Record<string, unknown>>;

/**
 * Everything wrong with a requester's answers, as pointers into the body that carries
 * them. Every answer is a string; an empty one is none.
 */
export function checkAnswers(
  fields: readonly Field[],
  answers: Answers,
  now: Instant,
): readonly Fault[] {
  const place: Place = { pointer: '/answers', faults: [] };
  for (const key of Object.keys(answers))
    if (!fields.some((f) => f.key === key))
      fault(under(place, key), 'unknown_field', 'this request type does not ask for it');
  for (const field of fields)
    checkAnswer(field, answerTo(field, answers), under(place, field.key), now);
  return place.faults;
}

/**
 * When what is asked for by a date or duration field ends, counted from `from`.
 *
 * @returns undefined where the answer is none that {@link checkAnswers} passes.
 */
export function untilOf(
  field: DateField | DurationField,
  answer: string,
  from: Instant,
): Instant | undefined {
  if (field.type === 'date') return endOfDate(answer, field.zone);
  const duration = parseDuration(answer);
  return duration === undefined ? undefined : plus(from, duration);
}

const answerTo = (field: Field, answers: Answers): unknown =>
  Object.hasOwn(answers, field.key) ? answers[field.key] : undefined;

function checkAnswer(field: Field, answer: unknown, place: Place, now: Instant): void {
  if (answer !== undefined && typeof answer !== 'string') {
    fault(place, 'invalid_type', 'must be a text');
  } else if (answer === undefined || answer.trim() === '') {
    if (field.required) fault(place, 'missing', 'must be answered');
  } else if (field.type === 'text') checkText(field, answer, place);
  else if (field.type === 'choice') checkChoice(field, answer, place);
  else if (field.type === 'date') checkDate(field, answer, place, now);
  else checkDuration(field, answer, place);
}

function checkText(field: TextField, answer: string, place: Place): void {
  if (answer.length > field.max_length)
    fault(place, 'out_of_range', `must have at most ${field.max_length} characters`);
  else if (printableLines(answer) !== answer.replace(/\r\n?/g, '\n').replace(/\t/g, ' '))
    fault(place, 'invalid_value', 'must have no control or invisible characters');
}

function checkChoice(field: ChoiceField, answer: string, place: Place): void {
  if (!field.options.some((option) => option.value === answer))
    fault(place, 'invalid_value', 'must be one of the choices');
}

function checkDate(field: DateField, answer: string, place: Place, now: Instant): void {
  const end = endOfDate(answer, field.zone);
  if (end === undefined) fault(place, 'invalid_value', 'must be a date like 2026-03-31');
  else if (end <= now) fault(place, 'out_of_range', 'must not be past');
  else if (field.max_ahead !== null && secondsBetween(now, end) > field.max_ahead)
    fault(place, 'out_of_range', `must end within ${Math.floor(field.max_ahead / 86_400)} days`);
}

function checkDuration(field: DurationField, answer: string, place: Place): void {
  const duration = parseDuration(answer);
  if (duration === undefined)
    fault(place, 'invalid_value', 'must be a whole number and s, m, h or d, like 8h');
  else if (duration < field.min || duration > field.max)
    fault(place, 'out_of_range', `must be ${field.min} to ${field.max} seconds`);
}
