/**
 * Adam's update found among a step's equations: TensorFlow has it as one operation on variables that a session holds. What compiler/optimizers
 * writes of `scaleByAdam` and a rate is looked for, as the passes leave it: θ − rate·(m/(1 − β₁ᵗ))/(√(v/(1 − β₂ᵗ)) + ε).
 */
import type { Equation, Program, Var } from '../../../compiler/ir/program.js';
import { is } from '../../../compiler/ir/program.js';

/** A gradient as a number times a variable. */
export type Gradient = { readonly of: Var; readonly factor: number };

export type AdamTarget = {
  /** Names of the parameter and of its moments. */
  readonly parameter: string;
  readonly mean: string;
  readonly square: string;
  readonly gradient: Gradient;
};

/** Parameters that one Adam changes. */
export type AdamUpdate = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly rate: Var | number;
  /** β₁ᵗ and β₂ᵗ, with t counted from 1. */
  readonly beta1Power: Var;
  readonly beta2Power: Var;
  readonly targets: readonly AdamTarget[];
};

type Reading = {
  readonly definition: (x: Var) => Equation | undefined;
  /** The binder of a variable, if it is one. */
  readonly binder: (x: Var) => string | undefined;
  /** The name of the array that a variable replaces. */
  readonly replaces: (x: Var) => readonly string[];
};

const readingOf = ({ equations, binders, outputs }: Program): Reading => {
  const definitions = new Map(equations.map((eq) => [eq.out.id, eq]));
  const bound = new Map(binders.map(({ name, var: x }) => [x.id, name]));
  const next = outputs.flatMap((o) => (o.kind === 'next' ? [o] : []));
  return {
    definition: (x) => definitions.get(x.id),
    binder: (x) => bound.get(x.id),
    replaces: (x) => next.flatMap(({ name, var: y }) => (y.id === x.id ? [name] : [])),
  };
};

/** The two operands of one primitive, undefined where a variable is of another. */
const operands = (
  { definition }: Reading,
  x: Var | undefined,
  ...primitives: readonly string[]
): readonly [Var, Var] | undefined => {
  const eq = x === undefined ? undefined : definition(x);
  if (eq === undefined || !primitives.includes(eq.primitive)) return undefined;
  const [a, b] = eq.inputs;
  return a === undefined || b === undefined ? undefined : [a, b];
};

const constantOf = ({ definition }: Reading, x: Var | undefined): number | undefined => {
  const eq = x === undefined ? undefined : definition(x);
  return eq !== undefined && is(eq, 'constant') ? eq.params.value : undefined;
};

/** The scalar that is spread over an array. */
const scalarOf = ({ definition }: Reading, x: Var): Var | undefined => {
  const eq = definition(x);
  if (eq !== undefined && is(eq, 'broadcast') && eq.params.axes.length === 0) return eq.inputs[0];
  return x.type.shape.length === 0 ? x : undefined;
};

/** A scalar times an array, in either order. */
const scaledBy = (
  reading: Reading,
  x: Var | undefined,
  holds: (scalar: Var) => boolean = () => true,
): { readonly by: Var; readonly of: Var } | undefined => {
  const found = operands(reading, x, 'mul');
  if (found === undefined) return undefined;
  const [a, b] = found;
  for (const [first, of] of [
    [a, b],
    [b, a],
  ] as const) {
    const by = scalarOf(reading, first);
    if (by !== undefined && holds(by)) return { by, of };
  }
  return undefined;
};

/** A number times a variable: `mul x k`, or the variable itself. */
const asMultiple = (reading: Reading, x: Var): Gradient => {
  const found = operands(reading, x, 'mul');
  const factor = constantOf(reading, found?.[1]);
  return found === undefined || factor === undefined ? { of: x, factor: 1 } : { of: found[0], factor };
};

/** 1/(1 − βᵗ): β and its power. */
const correctionOf = (
  reading: Reading,
  x: Var,
): { readonly beta: number; readonly power: Var } | undefined => {
  const [one, rest] = operands(reading, x, 'div') ?? [];
  const [whole, power] = operands(reading, rest, 'sub') ?? [];
  const [base] = operands(reading, power, 'pow') ?? [];
  const beta = constantOf(reading, base);
  return constantOf(reading, one) === 1 &&
    constantOf(reading, whole) === 1 &&
    power !== undefined &&
    beta !== undefined
    ? { beta, power }
    : undefined;
};

/** β·before + k·x, or β·before − k·x. */
const mixtureOf = (reading: Reading, x: Var) => {
  const sum = operands(reading, x, 'add');
  const [kept, fresh] = sum ?? operands(reading, x, 'sub') ?? [];
  if (kept === undefined || fresh === undefined) return undefined;
  const before = asMultiple(reading, kept);
  const added = asMultiple(reading, fresh);
  const name = reading.binder(before.of);
  return name === undefined || !reading.replaces(x).includes(name)
    ? undefined
    : { name, beta: before.factor, of: added.of, factor: sum === undefined ? -added.factor : added.factor };
};

const isClose = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** The gradient behind both moments: f·y with (1 − β₁)·f·y in the mean and (1 − β₂)·f²·y² in the square. */
const gradientOf = (
  reading: Reading,
  mean: NonNullable<ReturnType<typeof mixtureOf>>,
  square: NonNullable<ReturnType<typeof mixtureOf>>,
): Gradient | undefined => {
  const [a, b] = operands(reading, square.of, 'mul') ?? [];
  if (a === undefined || a.id !== b?.id) return undefined;
  const root = asMultiple(reading, a);
  for (const y of [{ of: a, factor: 1 }, root]) {
    if (y.of.id !== mean.of.id) continue;
    const factor = mean.factor / (1 - mean.beta);
    const whole = (1 - square.beta) * (factor / y.factor) ** 2;
    if (isClose(whole, square.factor))
      return isClose(factor, y.factor) ? { of: a, factor: 1 } : { of: y.of, factor };
  }
  return undefined;
};

type Found = Omit<AdamUpdate, 'targets'> & { readonly target: AdamTarget };

/** A rate times a quotient. */
const stepOf = (
  reading: Reading,
  change: Var | undefined,
): { readonly rate: Var | number; readonly of: Var } | undefined => {
  const isQuotient = (x: Var): boolean => reading.definition(x)?.primitive === 'div';
  const [a, b] = operands(reading, change, 'mul') ?? [];
  const rate = constantOf(reading, b);
  if (a !== undefined && rate !== undefined) return isQuotient(a) ? { rate, of: a } : undefined;
  for (const [by, of] of [
    [a, b],
    [b, a],
  ] as const) {
    const spread = by && scalarOf(reading, by);
    if (spread !== undefined && of !== undefined && isQuotient(of)) return { rate: spread, of };
  }
  return undefined;
};

/** What replaces one parameter, if it is Adam's. */
const foundAt = (reading: Reading, parameter: string, next: Var): Found | undefined => {
  const [theta, change] = operands(reading, next, 'sub') ?? [];
  if (theta === undefined || reading.binder(theta) !== parameter) return undefined;
  const either = stepOf(reading, change);
  const [direction, denominator] = operands(reading, either?.of, 'div') ?? [];
  const [root, epsilonOf] = operands(reading, denominator, 'add') ?? [];
  const epsilon = constantOf(reading, epsilonOf);
  const eq = root === undefined ? undefined : reading.definition(root);
  const corrects = (by: Var): boolean => correctionOf(reading, by) !== undefined;
  const first = scaledBy(reading, direction, corrects);
  const second = eq?.primitive === 'sqrt' ? scaledBy(reading, eq.inputs[0], corrects) : undefined;
  if (either === undefined || epsilon === undefined || first === undefined || second === undefined)
    return undefined;
  const [one, two] = [correctionOf(reading, first.by), correctionOf(reading, second.by)];
  const [mean, square] = [mixtureOf(reading, first.of), mixtureOf(reading, second.of)];
  if (one === undefined || two === undefined || mean === undefined || square === undefined) return undefined;
  if (mean.beta !== one.beta || square.beta !== two.beta) return undefined;
  const gradient = gradientOf(reading, mean, square);
  return gradient === undefined
    ? undefined
    : {
        beta1: one.beta,
        beta2: two.beta,
        epsilon,
        rate: either.rate,
        beta1Power: one.power,
        beta2Power: two.power,
        target: { parameter, mean: mean.name, square: square.name, gradient },
      };
};

/** The parameters that Adam changes, those of one rate and one set of numbers together. */
export const adamUpdatesIn = (program: Program): readonly AdamUpdate[] => {
  const reading = readingOf(program);
  const parameters = new Set(
    program.binders.flatMap(({ kind, name }) => (kind === 'parameter' ? [name] : [])),
  );
  const found = program.outputs.flatMap((o) =>
    o.kind === 'next' && parameters.has(o.name) ? (foundAt(reading, o.name, o.var) ?? []) : [],
  );
  const keyOf = ({ beta1, beta2, epsilon, rate, beta1Power, beta2Power }: Found): string =>
    [
      beta1,
      beta2,
      epsilon,
      typeof rate === 'number' ? `constant ${rate}` : rate.id,
      beta1Power.id,
      beta2Power.id,
    ].join();
  const groups = found.reduce<ReadonlyMap<string, AdamUpdate>>((known, { target, ...shared }) => {
    const key = keyOf({ target, ...shared });
    const targets = [...(known.get(key)?.targets ?? []), target];
    return new Map([...known, [key, { ...shared, targets }]]);
  }, new Map());
  return [...groups.values()];
};

/** Every array that an update replaces: the parameters and their moments. */
export const updatedBy = ({ targets }: AdamUpdate): readonly string[] =>
  targets.flatMap(({ parameter, mean, square }) => [parameter, mean, square]);

/** What an update reads of a program. */
export const readBy = (adam: AdamUpdate): readonly Var[] => [
  ...(typeof adam.rate === 'number' ? [] : [adam.rate]),
  adam.beta1Power,
  adam.beta2Power,
  ...adam.targets.map(({ gradient }) => gradient.of),
];
