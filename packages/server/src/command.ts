import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { EXIT } from '@postern/shared';
import { loadConfig } from './config.ts';
import { GATEWAY_PROGRAM } from './gateway-program.ts';
import { openDatabase } from './platform/db.ts';
import { StartupError } from './platform/errors.ts';
import { migrate } from './platform/migrate.ts';
import { databaseSettings, serve } from './serve.ts';
import { VERSION } from './version.ts';

const HELP = `posternd: the policy service of Postern

  posternd serve [--config FILE] [--demo]   the API, the jobs, and the gateway as a child
  posternd gateway …                        a gateway alone, on any host that reaches the API
  posternd migrate [--config FILE]          bring the database up to date and end

Settings are in the file and in POSTERN_* variables; the variables win.
`;

/** @returns the exit code; @throws StartupError for what keeps it from starting */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'serve': {
      const { config: file, demo } = optionsOf(rest);
      const config = loadConfig({
        ...pathOf(file),
        environment: process.env,
        masterKey: 'required',
      });
      return serve({ ...config, demo: config.demo || demo === true });
    }
    case 'migrate': {
      const { config: file } = optionsOf(rest);
      const config = loadConfig({ ...pathOf(file), environment: process.env, masterKey: 'unused' });
      const db = await openDatabase(databaseSettings(config));
      try {
        const applied = await migrate(db);
        process.stdout.write(
          applied.length === 0
            ? 'The database is up to date.\n'
            : `Applied: ${applied.join(', ')}\n`,
        );
      } finally {
        await db.close();
      }
      return EXIT.ok;
    }
    case 'gateway':
      return runGateway(rest);
    case '--version':
    case '-v':
      process.stdout.write(`posternd ${VERSION}\n`);
      return EXIT.ok;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return command === undefined ? EXIT.usage : EXIT.ok;
    default:
      throw new StartupError(`there is no command ${JSON.stringify(command)}.`, {
        exit: EXIT.usage,
        next: 'See them: posternd --help',
      });
  }
}

function optionsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { config: { type: 'string' }, demo: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split('. ')[0]}.`, {
      exit: EXIT.usage,
      next: 'See the options: posternd --help',
    });
  }
}

const pathOf = (file: string | undefined) => (file === undefined ? {} : { file });

function runGateway(args: readonly string[]): Promise<number> {
  const { main } = GATEWAY_PROGRAM;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => child.kill(signal));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? EXIT.bug));
  });
}
