/** Appends the optimizer: gradients become next parameters and moments, so that the whole step is one program. */
import type { Expr } from '../../dsl/expressions/expression.js';
import { zeros } from '../../dsl/layers/initializer.js';
import { getFrom, internalError } from '../../dsl/lookup.js';
import type { Scalar } from '../../dsl/shape.js';
import type { Optimizer } from '../../dsl/update.js';
import { differentiate } from '../derivatives/differentiate.js';
import type { ParameterSpec, StateSpec } from '../elaborate/context.js';
import { type Builder, createBuilder } from '../ir/builder.js';
import { add, binary, mul, plus, select, sub, sumAll, times, unary } from '../ir/operations.js';
import { type Output, outputVar, type Program, type Var } from '../ir/program.js';
import { scalarType } from '../ir/type.js';
import { averageName } from './average.js';
import { type Keep, normOf, scalar, scaled, totalOf, type Weight } from './site.js';
import { updated } from './updates.js';
import { isTrained } from './where.js';

type Update = { readonly program: Program; readonly moments: readonly StateSpec[] };

/** Whether the weights change at a step; null where they do at every one. */
type Changes = Var | null;

const chosen = ({ emit }: Builder, changes: Changes, then: Var, otherwise: Var): Var => {
  if (changes === null) return then;
  const { rows, shape } = then.type;
  const mask = shape.length === 0 ? changes : emit('broadcast', { shape, axes: [] }, [changes]);
  return rows === 0 ? select(emit, mask, then, otherwise) : internalError('a moment of each example');
};

/** The state that a step keeps: what is bound, what each array becomes, and how it begins. */
const createState = (builder: Builder) => {
  const next: (readonly [name: string, value: Var])[] = [];
  const specs: StateSpec[] = [];
  const begun = (spec: Omit<StateSpec, 'shape'>, type: Var['type']): Var => {
    specs.push({ ...spec, shape: type.shape });
    return builder.bind('state', spec.name, type);
  };
  return {
    begun,
    become: (name: string, value: Var): void => void next.push([name, value]),
    next: (): readonly Output[] => next.map(([name, value]) => ({ kind: 'next', name, var: value })),
    specs: (): readonly StateSpec[] => specs,
  };
};

type State = ReturnType<typeof createState>;

const startingAt = (name: string, value: number): Omit<StateSpec, 'shape'> => ({
  name,
  initializer: value === 0 ? zeros : { tag: 'constant', value },
});

/** Counts from 0 to `period` − 1 and again; 1 at the last of them. */
const cycle = (builder: Builder, state: State, name: string, period: number, when: Changes): Var => {
  const { emit } = builder;
  const now = state.begun(startingAt(name, 0), scalarType);
  const isLast = binary(emit, 'greater', plus(emit, now, 1.5), scalar(emit, period));
  const after = mul(emit, plus(emit, now, 1), sub(emit, scalar(emit, 1), isLast));
  state.become(name, chosen(builder, when, after, now));
  return isLast;
};

type Accumulated = { readonly changes: Changes; readonly count: Var; readonly gradients: readonly Weight[] };

/** The mean of the gradients of k steps, and whether they are complete; of one step its own. */
const accumulated = (builder: Builder, state: State, weights: readonly Weight[], k: number): Accumulated => {
  const { emit } = builder;
  if (k === 1)
    return {
      changes: null,
      count: plus(emit, builder.bind('scalar', 'step', scalarType), 1),
      gradients: weights,
    };
  const seen = builder.bind('state', 'accumulate/place', scalarType);
  const share = emit('div', {}, [scalar(emit, 1), plus(emit, seen, 1)]);
  const changes = cycle(builder, state, 'accumulate/place', k, null);
  const before = state.begun(startingAt('accumulate/changes', 0), scalarType);
  state.become('accumulate/changes', add(emit, before, changes));
  const gradients = weights.map((weight) => {
    const name = `accumulate/mean/${weight.name}`;
    const mean = state.begun(startingAt(name, 0), weight.update.type);
    const moved = add(emit, mean, scaled(emit, share, sub(emit, weight.update, mean)));
    state.become(name, scaled(emit, sub(emit, scalar(emit, 1), changes), moved));
    return { ...weight, update: moved };
  });
  return { changes, count: plus(emit, before, 1), gradients };
};

/** Every period of changes the weights go back to a share of the way that they came. */
const lookedAhead = (
  builder: Builder,
  state: State,
  { lookahead }: Optimizer,
  changes: Changes,
  specOf: (name: string) => ParameterSpec,
) => {
  if (lookahead === undefined) return (_name: string, after: Var): Var => after;
  const { emit } = builder;
  const { period, share } = lookahead;
  const isDue = cycle(builder, state, 'lookahead/place', period, changes);
  const due = changes === null ? isDue : mul(emit, isDue, changes);
  return (name: string, after: Var): Var => {
    const own = `lookahead/slow/${name}`;
    const slow = state.begun({ name: own, initializer: zeros, copies: specOf(name) }, after.type);
    const moved = add(emit, slow, times(emit, sub(emit, after, slow), share));
    state.become(own, chosen(builder, due, moved, slow));
    return chosen(builder, due, moved, after);
  };
};

/**
 * The whole step. Besides the terms it gives `gradientNorm` and `commit`, which is 1 when the loss, the gradients' norm, the rate and
 * every running statistic are finite; a backend replaces parameters, moments and statistics by their `next` values only then. The next
 * values themselves are not read once more: a gradient whose square overflows has no finite norm, and what is left is a rate or a
 * parameter within a few powers of ten of the greatest float, which may step over it; the step after that is not committed.
 * `numbers` are the values of the optimizer's expressions.
 */
export const update = (
  objective: Program,
  optimizer: Optimizer,
  parameters: ReadonlyMap<string, ParameterSpec>,
  numbers: ReadonlyMap<Expr<Scalar>, Var>,
): Update => {
  const program = differentiate(objective);
  const builder = createBuilder(program);
  const { emit } = builder;
  const state = createState(builder);
  const isMeant = isTrained(optimizer);
  const weights = program.binders
    .filter(({ kind, name }) => kind === 'parameter' && isMeant(name))
    .map(({ name, var: value }): Weight => ({ name, value, update: outputVar(program, 'gradient', name) }));
  const norm = normOf(
    emit,
    weights.map(({ update: gradient }) => gradient),
  );
  const rate = outputVar(program, 'telemetry', 'rate');
  const { changes, count, gradients } = accumulated(builder, state, weights, optimizer.accumulate ?? 1);
  const taken = new Map<string, number>();
  const keepFor = (group: string): Keep => {
    const place = (taken.get(group) ?? 0) + 1;
    taken.set(group, place);
    return (moment, parameter, like, initial, become) => {
      const name = `${group}${place === 1 ? '' : place}/${moment}/${parameter}`;
      const now = state.begun(startingAt(name, initial), like);
      const next = become(now);
      state.become(name, chosen(builder, changes, next, now));
      return { now, next };
    };
  };
  const keep: Keep = () => internalError('an update without moments keeps one');
  const number = (of: Expr<Scalar>): Var => getFrom(numbers, of);
  const steps = updated(optimizer.chain, gradients, { emit, count, keep, keepFor, number });
  const specOf = (name: string): ParameterSpec => getFrom(parameters, name);
  const ahead = lookedAhead(builder, state, optimizer, changes, specOf);
  const next = steps.map(({ name, value, update: u }): Output => {
    const moved = sub(emit, value, scaled(emit, rate, u));
    const after = ahead(name, chosen(builder, changes, moved, value));
    if (optimizer.average !== undefined) {
      const own = averageName(name);
      const before = state.begun({ name: own, initializer: zeros, copies: specOf(name) }, value.type);
      const mixed = add(
        emit,
        times(emit, before, optimizer.average),
        times(emit, after, 1 - optimizer.average),
      );
      state.become(own, chosen(builder, changes, mixed, before));
    }
    return { kind: 'next', name, var: after };
  });
  const kept = program.outputs.filter((o) => o.kind !== 'gradient');
  const checked = totalOf(emit, [
    outputVar(program, 'telemetry', 'loss'),
    mul(emit, rate, norm),
    ...kept.filter((o) => o.kind === 'next').map((o) => sumAll(emit, o.var)),
  ]);
  const telemetry: readonly Output[] = [
    { kind: 'telemetry', name: 'gradientNorm', var: norm },
    { kind: 'telemetry', name: 'commit', var: unary(emit, 'finite', checked) },
  ];
  return {
    program: {
      ...program,
      binders: builder.binders(),
      equations: builder.equations(),
      outputs: [...kept, ...telemetry, ...next, ...state.next()],
    },
    moments: state.specs(),
  };
};
