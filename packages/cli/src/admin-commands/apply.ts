import type { Change } from '@postern/shared';
import { withSecrets } from '../apply/credentials.ts';
import { readDocuments, type SourceDocument } from '../apply/documents.ts';
import { placed } from '../apply/faults.ts';
import { readFiles } from '../apply/files.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { lines } from '../render/view.ts';

const AGAIN = 'Nothing was changed. Correct it, then run the same command again.';

export const apply = command({
  summary: 'Bring the service to what YAML files say: all of it, or nothing',
  help: [
    'Reads a file, or the *.yaml of a folder in the order of their names. Kinds: Group, User,',
    'ResourceGroup, Server, RequestType, SecurityPolicy. A credential is {type, from_env: VAR}',
    'or {type, from_file: PATH}: no secret stands in these files.',
  ].join('\n'),
  flags: {
    file: { short: 'f', value: 'PATH', many: true, summary: 'a file or a folder' },
    'dry-run': { summary: 'only show what would change' },
  },
  async run({ api, world, flags }) {
    if (flags.file.length === 0) throw usage('There is nothing to apply.', 'Pass -f PATH.');
    const files = (await Promise.all(flags.file.map((path) => readFiles(world, path)))).flat();
    const faults: string[] = [];
    const read: SourceDocument[] = [];
    const documents: Record<string, unknown>[] = [];
    for (const file of files) {
      const found = readDocuments(file.path, file.text);
      if (!found.ok) faults.push(...found.faults);
      for (const document of found.ok ? found.documents : []) {
        const whole = await withSecrets(world, file.folder, document, faults);
        if (whole !== undefined) documents.push(whole);
        read.push(document);
      }
    }
    if (faults.length > 0) throw new Failure('usage', faults[0] ?? '', AGAIN, { faults });
    if (documents.length === 0) throw usage('The files hold no document.', 'Write some into them.');
    const body = { dry_run: flags['dry-run'], documents: documents as { kind: string }[] };
    try {
      return await (await api()).call('apply', { body });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { errors = [] } = error.extras.problem ?? {};
      if (errors.length === 0) throw error;
      const extras = { ...error.extras, faults: placed(errors, read) };
      throw new Failure(error.code, error.detail, AGAIN, extras);
    }
  },
  view: lines<{ readonly dry_run: boolean; readonly changes: readonly Change[] }>((done) => [
    ...done.changes.filter((c) => c.action !== 'unchanged').flatMap(changeLines),
    `${tally(done.changes)}${done.dry_run ? ' A dry run: nothing was changed.' : ''}`,
  ]),
});

const changeLines = ({ action, kind, name, details }: Change): string[] => [
  `${action}  ${kind} ${name}`,
  ...details.map((detail) => `          ${detail}`),
];

function tally(changes: readonly Change[]): string {
  const count = (action: Change['action']) => changes.filter((c) => c.action === action).length;
  return `${count('create')} created, ${count('update')} updated, ${count('unchanged')} unchanged.`;
}
