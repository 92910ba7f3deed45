/** The `immersion` command: runs a command line and turns whatever goes wrong into one line and an exit code. */
import { wantsJson } from './options/arguments.js';
import { dispatch } from './commands.js';
import { printJson, say } from './terminal/output.js';
import { errorText } from '../dsl/problem.js';

const json = wantsJson(process.argv);

const unexpected = (error: unknown): number => {
  if (json) printJson({ ok: false, problems: [], error: errorText(error) });
  if (process.env['IMMERSION_DEBUG'] === '1' && error instanceof Error && error.stack !== undefined)
    say(error.stack);
  else say(`unexpected error: ${errorText(error)} (IMMERSION_DEBUG=1 shows more; please report it)`);
  return 1;
};

/** A reader that has seen enough, such as `head`, ends the command without a word. */
const closed = (error: Error): void => {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
};
process.stdout.on('error', closed);
process.stderr.on('error', () => undefined);

const die = (error: unknown): never => process.exit(unexpected(error));
process.on('uncaughtException', die);
process.on('unhandledRejection', die);
// Whatever a library or a spec prints, stdout holds the result alone.
console.log = console.info = console.error;

process.exitCode = await dispatch(process.argv.slice(2)).catch(unexpected);
