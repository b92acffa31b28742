import { spawn } from 'node:child_process';

/** What one check found. `text` is shown when it failed, `note` (a few words) when it did not. */
export interface Report {
  readonly ok: boolean;
  readonly text: string;
  readonly note?: string;
}

/** One place that a rule refuses. `line` counts from 1. */
export interface Finding {
  readonly rule: string;
  readonly file: string;
  readonly line?: number;
  readonly detail: string;
}

export function reportOf(findings: readonly Finding[], note: string): Report {
  const text = findings
    .map((f) => `${f.file}${f.line === undefined ? '' : `:${f.line}`}  ${f.rule}: ${f.detail}`)
    .join('\n');
  return { ok: findings.length === 0, text, note };
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and collects what it printed; 127 when it could not be started. */
export function output(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Output> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: `${stderr}${error}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 70, stdout, stderr }));
  });
}
