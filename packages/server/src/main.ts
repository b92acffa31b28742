import { printable } from '@postern/shared';
import { runCommand } from './command.ts';
import { StartupError } from './platform/errors.ts';

/** The process `posternd`: the only place that prints a startup error and exits. */
runCommand(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof StartupError) {
      process.stderr.write(`posternd: ${error.message}\n${error.next ? `${error.next}\n` : ''}`);
      process.exit(error.exit);
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`posternd: a bug: ${text.split('\n').map(printable).join('\n')}\n`);
    process.exit(70);
  },
);
