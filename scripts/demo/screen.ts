import { printable, printableLines } from '@postern/shared';
import type { Ran } from '../../e2e/world/run.ts';

const tty = process.stdout.isTTY === true;
const bold = (text: string): string => (tty ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text: string): string => (tty ? `\u001b[2m${text}\u001b[0m` : text);

export const heading = (text: string): void => {
  process.stdout.write(`\n${bold(text)}\n`);
};

export const remark = (text: string): void => {
  process.stdout.write(`${dim(text)}\n`);
};

/** A command as somebody typed it, with all that it printed and how it ended. */
export function show(who: string, command: string, ran: Ran): void {
  process.stdout.write(`${dim(`${who}$`)} ${bold(command)}\n`);
  const text = printableLines(`${ran.stderr}${ran.stdout}`).trimEnd();
  if (text !== '') process.stdout.write(`${text}\n`);
  if (ran.code !== 0) process.stdout.write(`${dim(`(exit ${ran.code})`)}\n`);
}

/** A call of the service with its answer, or as much of it as matters, a line each. */
export function showCall(
  who: string,
  call: string,
  {
    etag,
    body,
    status,
    answer,
  }: { etag?: string | undefined; body?: unknown; status: number; answer: unknown },
): void {
  process.stdout.write(
    `${dim(`${who}>`)} ${bold(call)}${etag === undefined ? '' : dim(`  If-Match: "${etag}"`)}\n`,
  );
  if (body !== undefined) process.stdout.write(`${dim(printable(JSON.stringify(body)))}\n`);
  process.stdout.write(`${status} ${printable(JSON.stringify(answer) ?? '')}\n`);
}

/** Says what is going on while something takes longer than a second. */
export async function during<T>(what: string, act: Promise<T>): Promise<T> {
  const started = Date.now();
  let shown = false;
  const timer = setInterval(() => {
    shown = true;
    const seconds = Math.round((Date.now() - started) / 1000);
    if (process.stderr.isTTY) process.stderr.write(`\r${what}… ${seconds} s `);
    else if (seconds % 10 === 1) process.stderr.write(`${what}… ${seconds} s\n`);
  }, 1000);
  try {
    return await act;
  } finally {
    clearInterval(timer);
    if (shown && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
