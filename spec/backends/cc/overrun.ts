/** A program whose first nest runs one row too far, for sanitized.test.ts: it must end where the sanitizers watch. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { native } from '../../../backends/cc/native.js';
import { sourceOf } from '../../../backends/cc/source.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import { elementAt } from '../../../dsl/lookup.js';
import { copy } from '../../arbitrary/loop.js';

const found = native();
if (isLeft(found)) throw new Error('there is no C compiler');
const { compiler, load, numbers, address } = found.right;

const turned = copy([5, 7], [1, 5], [7, 1]);
// The first result lies in the program's own memory, since the second is made of it.
const plan = createPlan();
const [first] = plan.loop(turned, [plan.input('x', [35])], [[35]]);
const [second] = plan.loop(turned, first === undefined ? [] : [first], [[35]]);
const finished = plan.finish(second === undefined ? [] : [{ kind: 'value', name: 'y', operand: second }]);
const { files, ...rest } = sourceOf(finished, compiler.target);
const [, extra = '0'] = process.argv.slice(1);
const planted = elementAt(files, 0).replace(
  /alone\((\w+), a, (\d+)\)/,
  (_, name: string, extent: string) => `alone(${name}, a, ${Number(extent) + Number(extra)})`,
);
const loaded = load(finished, { files: [planted, ...files.slice(1)], ...rest });
if (isLeft(loaded)) throw new Error('it does not load');
loaded.right.run([numbers(35), numbers(35)].map(address));
console.log('ran to its end');
