import type { AccessRequest, CatalogEntry } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import { isInteractive } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { completeAnswers, givenAnswers } from './answers.ts';
import type { Reasons } from './raise.ts';

/**
 * Raises a request of a type of the catalogue: the one that was named, or the one that the
 * person picks.
 *
 * @throws Failure 64 nobody to ask, 77 no such type for this person
 */
export async function raiseOfType(
  ctx: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  name: string | undefined,
  { reason, answers }: Reasons,
): Promise<AccessRequest> {
  const { list } = await api.call('listCatalog', {});
  const entries = list.filter(({ purpose }) => purpose === 'group_membership');
  const { request_type, fields } =
    name === undefined ? await asked(ctx, entries) : named(entries, name);
  const given = givenAnswers(fields, reason, answers);
  return api.call('createAccessRequest', {
    body: {
      request_type_id: request_type.id,
      target: { type: 'group_membership' },
      answers: await completeAnswers(ctx.world, fields, given, ctx.say),
    },
  });
}

function named(entries: readonly CatalogEntry[], name: string): CatalogEntry {
  const entry = entries.find(({ request_type }) => request_type.name === name);
  if (entry !== undefined) return entry;
  throw new Failure(
    'not_found',
    `${name}: no such request type in your catalogue.`,
    '`sft request catalog` shows what you can ask for.',
  );
}

async function asked(
  { world, say }: Pick<Ctx, 'world' | 'say'>,
  entries: readonly CatalogEntry[],
): Promise<CatalogEntry> {
  if (!isInteractive(world))
    throw usage(
      'Nothing says what to ask for, and there is no terminal to ask.',
      'Pass a server, or --type with a name that `sft request catalog` shows.',
    );
  if (entries.length === 0)
    throw new Failure(
      'not_found',
      'There is nothing in your catalogue.',
      'Access to a server is asked for by its name: sft request create HOST',
    );
  say(
    entries
      .map(({ request_type, description }, i) =>
        `  ${i + 1}  ${request_type.name}   ${description}`.trimEnd(),
      )
      .join('\n'),
  );
  const at = (text: string) =>
    /^[1-9][0-9]{0,3}$/.test(text) ? entries[Number(text) - 1] : undefined;
  const answer = await world.prompt.text({
    message: 'What do you ask for:',
    check: (text) =>
      at(text) === undefined ? `Type a number from 1 to ${entries.length}.` : undefined,
  });
  return at(answer) as CatalogEntry;
}
