/** A process that makes one step ready: its network (first argument) compiled, lowered for wasm (`loops`) or run on a backend (second), as JSON. */
import { entryOf } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { elementCount } from 'immersion/compiler';
import { showProblem } from 'immersion/dsl';
import { initialState, lowerWasm, startBackend } from 'immersion/runs';
import { timed } from './clock.js';
import { nets } from './nets.js';

const [, , net = '', where = ''] = process.argv;
const [compiled, compile] = await timed(entryOf(nets, net));
const { step: program } = compiled;
if (where === 'loops') {
  const [, lower] = await timed(() => lowerWasm(program));
  console.log(JSON.stringify({ compile, lower }));
  process.exit(0);
}
const [started, start] = await timed(() => startBackend(where, { work: { program, steps: 1 } }));
if (isLeft(started)) {
  console.error(started.left.map(showProblem).join('; '));
  process.exit(1);
}
const state = new Map([...initialState(compiled, 1).arrays].map(([name, { data }]) => [name, data]));
const feeds = new Map(
  program.binders
    .filter(({ name }) => !state.has(name))
    .map(({ name, var: x }) => [
      name,
      Float32Array.from({ length: elementCount(x.type, program.batch) }, (_, i) => Math.sin(i * i + 1)),
    ]),
);
const [instance, open] = await timed(() => started.right.open(new Map([[program.name, program]]), state));
const [, first] = await timed(() => instance.run(program.name, feeds));
const [, second] = await timed(() => instance.run(program.name, feeds));
const sum = (by: 'wall' | 'processor'): number => open[by] + first[by];
console.log(
  JSON.stringify({ compile, start, first: { wall: sum('wall'), processor: sum('processor') }, second }),
);
process.exit(0);
