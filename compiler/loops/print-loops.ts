/**
 * Prints a plan's loop nests for a person to read, with what each computes and moves:
 *
 *   7  for i < 256, j < 64, k < 16             524 kFLOP, 86 kB
 *        %12[64i + j] += %3[16i + k]·%7[64k + j]
 */
import { elementAt } from '../../dsl/lookup.js';
import { atom, precedence, type Printed, within } from '../../dsl/printing/precedence.js';
import type { Access, Instruction, LoopKernel, Store } from './loop.js';
import { operandsOf, rootsOf } from './loop-cost.js';
import { trafficOf } from './loop-traffic.js';
import type { Plan, Step } from './plan.js';
import { showStep } from './print-plan.js';

/** The name of a loop's index: i, j, …, z, then i1, j1, …. */
const indexName = (axis: number): string => {
  const letters = 'ijklmnopqrstuvwxyz';
  const turn = Math.floor(axis / letters.length);
  return `${letters[axis % letters.length] ?? ''}${turn === 0 ? '' : turn}`;
};

/** Where an access reads or writes: `64i + j − 3`, or `64t1 + j` where something says the place. */
const positionOf = ({ offset, strides, place }: Access, values: readonly Printed[]): string => {
  const says = place === undefined ? [] : [placed(place.stride, elementAt(values, place.at))];
  const terms = strides.flatMap((stride, axis) =>
    stride === 0
      ? []
      : ([
          [stride, Math.abs(stride) === 1 ? indexName(axis) : `${Math.abs(stride)}${indexName(axis)}`],
        ] as const),
  );
  const all = [
    ...says,
    ...terms,
    ...(offset === 0 && terms.length + says.length > 0 ? [] : [[offset, String(Math.abs(offset))] as const]),
  ];
  return all
    .map(([sign, text], i) =>
      i === 0 ? `${sign < 0 ? '−' : ''}${text}` : `${sign < 0 ? ' − ' : ' + '}${text}`,
    )
    .join('');
};

/** A place times its stride. */
const placed = (stride: number, value: Printed): readonly [number, string] => [
  stride,
  `${Math.abs(stride) === 1 ? '' : `${Math.abs(stride)}·`}${within(precedence.product, value)}`,
];

const infix: Readonly<Partial<Record<Instruction['op'], readonly [string, Printed['precedence']]>>> = {
  add: [' + ', precedence.sum],
  sub: [' − ', precedence.sum],
  mul: ['·', precedence.product],
  div: ['/', precedence.product],
};

const tighter = (than: Printed['precedence']): Printed['precedence'] =>
  than === precedence.sum ? precedence.product : precedence.power;

/** An instruction in print, given its operands. */
const printed = (
  instruction: Instruction,
  operands: readonly Printed[],
  load: (index: number) => string,
): Printed => {
  const { op } = instruction;
  if (op === 'load') return atom(load(instruction.load));
  if (op === 'whole')
    return atom(`round(${operands.map(({ text }) => text).join('')}, below ${instruction.size})`);
  if (op === 'constant') return atom(String(instruction.value).replace('-', '−'));
  const [a, b] = operands;
  const between = infix[op];
  if (between !== undefined && a !== undefined && b !== undefined) {
    const [sign, binds] = between;
    // What stands behind a minus or under a fraction is set apart unless it binds more tightly.
    const right = op === 'add' || op === 'mul' ? binds : tighter(binds);
    return { text: `${within(binds, a)}${sign}${within(right, b)}`, precedence: binds };
  }
  if (op === 'neg' && a !== undefined)
    return { text: `−${within(precedence.product, a)}`, precedence: precedence.minus };
  return atom(`${op}(${operands.map(({ text }) => text).join(', ')})`);
};

const assignment: { readonly [M in Store['mode']]: string } = {
  set: '=',
  add: '+=',
  mul: '·=',
  max: 'max=',
  min: 'min=',
};

/** Longer expressions get a name, as those that are used more than once do. */
const LONG = 60;

const bodyOf = (
  { body, loads, stores }: LoopKernel,
  inputs: readonly number[],
  outputs: readonly number[],
): readonly string[] => {
  const uses = body.map(() => 0);
  const count = (index: number): void => {
    uses[index] = elementAt(uses, index) + 1;
  };
  body.forEach((instruction) => operandsOf(instruction, loads).forEach(count));
  rootsOf(stores).forEach(count);
  const lines: string[] = [];
  const known: Printed[] = [];
  body.forEach((instruction, index) => {
    const whole = printed(
      instruction,
      operandsOf(instruction, loads).map((operand) => elementAt(known, operand)),
      (load) => {
        const access = elementAt(loads, load);
        return `%${elementAt(inputs, access.buffer)}[${positionOf(access, known)}]`;
      },
    );
    const simple = instruction.op === 'constant';
    const named = !simple && (elementAt(uses, index) > 1 || whole.text.length > LONG);
    if (named) lines.push(`t${index} = ${whole.text}`);
    known.push(named ? atom(`t${index}`) : whole);
  });
  return [
    ...lines,
    ...stores.map((store) => {
      const to = `%${elementAt(outputs, store.buffer)}[${positionOf(store, known)}]`;
      return `${to} ${assignment[store.mode]} ${elementAt(known, store.value).text}`;
    }),
  ];
};

const scaled = (value: number, unit: string): string => {
  const power = value >= 1e9 ? 3 : value >= 1e6 ? 2 : value >= 1e3 ? 1 : 0;
  const number = Number((value / 1000 ** power).toPrecision(3));
  return `${number} ${elementAt(['', 'k', 'M', 'G'], power)}${unit}`;
};

const headOf = ({ extents }: LoopKernel): string =>
  extents.length === 0
    ? 'once'
    : `for ${extents.map((extent, axis) => `${indexName(axis)} < ${extent}`).join(', ')}`;

const stepLines = (step: Step): readonly string[] => {
  if (step.tag === 'repeat') return [showStep(step), ...linesOf(step.body).map((line) => `  ${line}`)];
  if (step.tag !== 'loop') return [showStep(step)];
  const { flops, bytes } = trafficOf(step.loop);
  return [
    `${headOf(step.loop).padEnd(44)}  ${scaled(flops, 'FLOP')}, ${scaled(bytes, 'B')}`,
    ...bodyOf(step.loop, step.inputs, step.outputs).map((line) => `  ${line}`),
  ];
};

const linesOf = ({ steps }: Plan): readonly string[] => {
  const width = String(steps.length).length;
  return steps.flatMap((step, i) =>
    stepLines(step).map((line, k) => `${(k === 0 ? String(i) : '').padStart(width)}  ${line}`),
  );
};

/** Each step of a plan with the loops written out: indices, what is read, computed and stored, FLOPs and bytes. */
export const printLoops = (plan: Plan): string => `${linesOf(plan).join('\n')}\n`;
