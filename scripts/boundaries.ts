import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Finding, output, type Report, reportOf } from './report.ts';
import { CODE_FOLDERS, codeFiles, isPackageSource } from './sources.ts';

const home = resolve(import.meta.dirname, '..');

/** The part of dependency-cruiser's JSON that is read here. */
interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly ruleSetUsed: { readonly forbidden: readonly { name: string; comment?: string }[] };
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
}

/**
 * Runs the rules of .dependency-cruiser.mjs over the tree at `root`. Fails when a rule is
 * broken, and when dependency-cruiser did not read every source file: with a TypeScript it
 * does not know it reads none of them, finds nothing wrong, and says so with exit code 0.
 */
export async function boundaries(
  root: string,
  config = join(home, '.dependency-cruiser.mjs'),
): Promise<Report> {
  const folders = CODE_FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const depcruise = join(home, 'node_modules', '.bin', 'depcruise');
  const args = ['--config', config, '--output-type', 'json', ...folders];
  const ran = await output(depcruise, args, { cwd: root });
  const cruise = parse(ran.stdout);
  if (!cruise) return { ok: false, text: `dependency-cruiser did not run.\n${ran.stderr}` };
  const rules = cruise.summary.ruleSetUsed.forbidden;
  const read = cruise.modules.map((module) => module.source);
  const findings = [...unread(codeFiles(root).filter(isPackageSource), read), ...broken(cruise)];
  return reportOf(findings, `${read.length} modules, ${rules.length} rules`);
}

function parse(json: string): Cruise | null {
  try {
    return JSON.parse(json) as Cruise;
  } catch {
    return null;
  }
}

/** The violations, rule by rule; a rule's reason stands once, with its first. */
function broken(cruise: Cruise): Finding[] {
  const { ruleSetUsed, violations } = cruise.summary;
  return ruleSetUsed.forbidden.flatMap(({ name, comment }) =>
    violations
      .filter((violation) => violation.rule.name === name)
      .map((violation, index) => ({
        rule: name,
        file: violation.from,
        detail: `${target(violation)}${index === 0 && comment ? `\n    ${comment}` : ''}`,
      })),
  );
}

function target(violation: Cruise['summary']['violations'][number]): string {
  if (!violation.cycle?.length) return `imports ${violation.to}`;
  return `goes round: ${violation.cycle.map((step) => step.name).join(' → ')}`;
}

/** The source files that were not read: of what nobody read, nobody can say that it is clean. */
export function unread(sources: readonly string[], read: readonly string[]): Finding[] {
  const seen = new Set(read);
  const missing = sources.filter((file) => !seen.has(file));
  if (sources.length > 0 && missing.length === 0) return [];
  const shown = missing.slice(0, 5).join(', ');
  return [
    {
      rule: 'every-source-is-read',
      file: 'packages',
      detail:
        `${missing.length} of ${sources.length} source files were not read ` +
        `(${shown}${missing.length > 5 ? ', …' : ''}). Is the workspace's typescript a version ` +
        'that dependency-cruiser knows?',
    },
  ];
}
