/** `immersion start`, which is `npm start`: trains the bundled example on the bundled digits and writes its report. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { naturalOption, readArguments, wantsJson } from './options/arguments.js';
import { bundledSpec } from './running/bundled-spec.js';
import { fail, say } from './terminal/output.js';
import { finish, runOptions } from './train.js';
import { runTraining } from './running/training-run.js';
import { usage } from './options/usage.js';

export const start = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, runOptions, []);
  if (isLeft(given)) return fail(given.left, json);
  const seed = naturalOption(given.right, 'seed', 0);
  if (isLeft(seed)) return fail(seed.left, json);
  const spec = await bundledSpec();
  if (isLeft(spec)) return fail(spec.left, json);
  const { name, experiment } = spec.right;
  say(`InjFlow on the bundled digits: ${experiment.steps} steps of ${experiment.batch} examples`);
  const result = await runTraining({
    name,
    experiment,
    seed: seed.right,
    backend: given.right.last('backend'),
    device: given.right.last('device'),
    out: given.right.last('out'),
    report: true,
    outside: [],
  });
  if (isLeft(result)) return fail(result.left, json);
  if (!result.right.interrupted) say(`open ${result.right.files['report']} in a browser`);
  return finish(result.right, json);
};

export const startUsage = usage(
  'start',
  'Trains examples/digits.ts on the bundled digits and writes a report page.',
  runOptions,
);
