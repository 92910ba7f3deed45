/**
 * Prints a plan, one line for each kernel call or loop:
 *
 *   7  Conv2D x=%3[64,28,28,1] filter=%1[4,4,1,16] → %9[64,28,28,16]  strides=[1,1]  free %3
 *   8  loop 64×784×16 (%9, %2) add elu → %10, Σ %11
 */
import { elementAt } from '../../dsl/lookup.js';
import type { LoopKernel, Store } from './loop.js';
import type { Attribute, Operand, Plan, Step } from './plan.js';

const showOperand = ({ buffer, shape }: Operand): string => `%${buffer}[${shape.join(',')}]`;

const showAttribute = (value: Attribute): string =>
  typeof value === 'object'
    ? `[${value.map((part: number | readonly number[]) => showAttribute(part)).join(',')}]`
    : String(value);

/** Attributes that every call of a kernel shares, or that its operands' shapes tell. */
const isTelling = (name: string, value: Attribute): boolean =>
  value !== false &&
  !['dataFormat', 'inputShape', 'filterShape'].includes(name) &&
  !(name.endsWith('Mask') && value === 0);

/** What a loop computes: its operations in order. */
const operations = ({ body }: LoopKernel): string =>
  body.flatMap(({ op }) => (op === 'load' || op === 'constant' ? [] : [op])).join(' ') || 'copy';

const signs: { readonly [M in Store['mode']]: string } = {
  set: '',
  add: 'Σ ',
  mul: 'Π ',
  max: 'max ',
  min: 'min ',
};

const showLoop = ({ loop, inputs, outputs }: Extract<Step, { tag: 'loop' }>): string => {
  const read = inputs.map((buffer) => `%${buffer}`).join(', ');
  const modes = new Map(loop.stores.map(({ buffer, mode }) => [buffer, mode]));
  const written = outputs.map((buffer, i) => `${signs[modes.get(i) ?? 'set']}%${buffer}`).join(', ');
  return `loop ${loop.extents.join('×') || '1'} (${read}) ${operations(loop)} → ${written}`;
};

/** A step in a few words, without its buffers where it is a loop: `256×64×16 Σ mul`. */
export const stepTitle = (step: Step): string => {
  if (step.tag !== 'loop') return showStep(step);
  const { extents, stores } = step.loop;
  const [mode = 'set'] = stores.map((store) => store.mode);
  return `${extents.join('×') || '1'} ${signs[mode]}${operations(step.loop)}`;
};

const buffersOf = (buffers: readonly number[]): string => buffers.map((buffer) => `%${buffer}`).join(', ');

/** One step on one line; what is repeated follows on lines of its own. */
export const showStep = (step: Step): string => {
  if (step.tag === 'loop') return showLoop(step);
  if (step.tag === 'routine') {
    const { routine } = step;
    const size =
      'n' in routine
        ? `${routine.n}×${routine.n}`
        : 'order' in routine
          ? String(routine.order.length)
          : routine.widths.join('+');
    return `${routine.name} ${size} (${buffersOf(step.inputs)}) → ${buffersOf(step.outputs)}`;
  }
  if (step.tag === 'repeat') {
    const body = `${step.body.steps.length} steps (${buffersOf(step.inputs)})`;
    return `repeat ${step.times} times or until 0: ${body} → ${buffersOf(step.outputs)}`;
  }
  const inputs = Object.entries<Operand>({ ...step.inputs }).map(([name, operand]) =>
    Array.isArray(step.inputs) ? showOperand(operand) : `${name}=${showOperand(operand)}`,
  );
  const attributes = Object.entries(step.attributes)
    .filter(([name, value]) => isTelling(name, value))
    .map(([name, value]) => `${name}=${showAttribute(value)}`);
  const call = [step.kernel, ...inputs, '→', showOperand(step.output)].join(' ');
  return attributes.length === 0 ? call : `${call}  ${attributes.join(' ')}`;
};

/** A plan as text, a line for each step, as the golden files hold it. */
export const printPlan = (plan: Plan): string => {
  const named = (entries: Plan['inputs']): readonly string[] =>
    entries.map(({ name, operand }) => `  "${name}" = ${showOperand(operand)}`);
  const constants = plan.constants.map(({ operand, values }) => {
    const [first] = values;
    const shown = values.every((value) => value === first)
      ? String(first ?? '')
      : `[${values.slice(0, 4).join(',')}…]`;
    return `  ${showOperand(operand)} = ${shown}`;
  });
  const width = String(plan.steps.length).length;
  const steps = plan.steps.map((step, i) => {
    const freed = elementAt(plan.release, i)
      .map((buffer) => `%${buffer}`)
      .join(' ');
    const line = `  ${String(i).padStart(width)}  ${showStep(step)}${freed === '' ? '' : `  free ${freed}`}`;
    const body = step.tag === 'repeat' ? printPlan(step.body).trimEnd().split('\n') : [];
    return [line, ...body.map((inner) => `  ${' '.repeat(width)}  ${inner}`)].join('\n');
  });
  return [
    'plan (',
    ...named(plan.inputs),
    ...constants,
    ') {',
    ...steps,
    '} → (',
    ...named(
      plan.outputs.map(({ kind, name, operand }) => ({
        name: kind === 'value' ? name : `${kind} ${name}`,
        operand,
      })),
    ),
    ')',
    '',
  ].join('\n');
};
