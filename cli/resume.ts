/** `immersion resume RUN`: goes on with a run from its last checkpoint, with another rate or weight if that is asked for. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { defaultPolicy, eventsOf, readRun, resume as goOn } from '../runs/index.js';
import { assignments, naturalOption, type Option, readArguments, wantsJson } from './options/arguments.js';
import type { Findings } from './running/findings.js';
import { fail } from './terminal/output.js';
import { policyOf, policyOptions } from './options/policy-options.js';
import { backendOptions } from './options/run-options.js';
import { finish, tensorboardOption } from './train.js';
import { following } from './running/following.js';
import { findingsAfter, resultOf } from './running/training-run.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  { name: 'steps', value: 'N', summary: 'so many steps more (those that are left)' },
  {
    name: 'set',
    value: 'NAME=VALUE',
    summary: 'a hyper-parameter or a field such as optimizer.rate from here on; repeatable',
  },
  { name: 'data', value: 'REF', summary: 'where the data of the run is now (where it was)' },
  { name: 'other-data', summary: 'goes on with other data than the run was trained on' },
  ...backendOptions,
  { name: 'report', summary: 'writes report.html too' },
  tensorboardOption,
  ...policyOptions,
];

export const resume = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const [folder = ''] = given.right.positionals;
  const steps = naturalOption(given.right, 'steps', 0);
  const pairs = assignments(given.right.all('set'));
  const policy = policyOf(given.right);
  const note = readRun(folder);
  const early = [steps, pairs, policy, note].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(steps) || isLeft(pairs) || isLeft(policy) || isLeft(note)) return fail(early, json);

  const { settings } = note.right;
  const name = settings?.name ?? folder;
  const request = { name, seed: settings?.seed ?? 0, report: given.right.has('report') };
  const watch = following({ tensorboard: given.right.has('tensorboard') });
  const trained = await goOn<Findings>(folder, {
    ...(given.right.has('steps') ? { steps: steps.right } : {}),
    change: Object.fromEntries(pairs.right),
    policy: policy.right.policy,
    data: given.right.last('data'),
    otherData: given.right.has('other-data'),
    backend: given.right.last('backend'),
    device: given.right.last('device'),
    onStart: async (started) => {
      // The record was cut back to the checkpoint; what is left of it is the beginning of this history.
      for (const event of await eventsOf(folder)) watch.history.add(event);
      await watch.onStart(started);
    },
    onProgress: watch.onProgress,
    onEvent: watch.onEvent,
    signal: watch.signal,
    measure: (run) => {
      watch.stop();
      return findingsAfter(request, [], watch.history)(run);
    },
  }).finally(watch.stop);
  if (isLeft(trained)) return fail(trained.left, json);
  const { criterion } = { ...defaultPolicy, ...settings?.policy, ...policy.right.policy };
  return finish(resultOf(trained.right, request, criterion), json);
};

export const resumeUsage = usage(
  'resume RUN',
  'Goes on with a run from its last checkpoint, to its own end or so many steps more; the same bits as if it had not been ended.',
  options,
);
