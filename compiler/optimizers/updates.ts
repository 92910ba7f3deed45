/** What each update makes of the gradients, as equations: one row each and exhaustive by type. */
import type { Update } from '../../dsl/update.js';
import { add, binary, constantLike, div, fillShape, mul, plus, sub, times, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { elementAt } from '../../dsl/lookup.js';
import { matches } from './where.js';
import { normOf, rootMeanSquare, scalar, scaled, type Site, squareOf, type Weight } from './site.js';

type Of<T extends Update['tag']> = Extract<Update, { readonly tag: T }>;
type Row<T extends Update['tag']> = (
  update: Of<T>,
  weights: readonly Weight[],
  site: Site,
) => readonly Weight[];

const each =
  (f: (weight: Weight) => Var) =>
  (weights: readonly Weight[]): readonly Weight[] =>
    weights.map((weight) => ({ ...weight, update: f(weight) }));

/** decay·before + (1 − decay)·x. */
const mixed = (emit: Emit, decay: number, before: Var, x: Var): Var =>
  add(emit, times(emit, before, decay), times(emit, x, 1 - decay));

/** 1/(1 − βᵗ), by which a moving average that began at 0 is corrected. */
const correction = (emit: Emit, beta: number, count: Var): Var => {
  const one = scalar(emit, 1);
  return div(emit, one, sub(emit, one, emit('pow', {}, [scalar(emit, beta), count])));
};

/** x by √(y + ε). */
const byRoot = (emit: Emit, x: Var, y: Var, epsilon: number): Var =>
  div(emit, x, unary(emit, 'sqrt', plus(emit, y, epsilon)));

/** −1, 0 or 1. */
const signOf = (emit: Emit, x: Var): Var => {
  const zero = constantLike(emit, 0, x.type);
  return sub(emit, binary(emit, 'greater', x, zero), binary(emit, 'greater', zero, x));
};

/** The two longest axes, the longest last; of equal ones the later is longer. */
const longestAxes = (shape: readonly number[]): readonly [second: number, first: number] => {
  const sorted = shape.map((_, i) => i).sort((a, b) => elementAt(shape, a) - elementAt(shape, b) || a - b);
  return [sorted.at(-2) ?? 0, sorted.at(-1) ?? 0];
};

const without = (shape: readonly number[], axis: number): readonly number[] =>
  shape.filter((_, i) => i !== axis);

/** The mean along one axis, and it repeated along that axis again. */
const meanAlong = (emit: Emit, x: Var, axis: number): Var =>
  times(emit, emit('reduce', { op: 'add', axes: [axis] }, [x]), 1 / elementAt(x.type.shape, axis));
const repeatedAlong = (emit: Emit, x: Var, shape: readonly number[], axis: number): Var =>
  emit('broadcast', { shape, axes: shape.map((_, i) => i).filter((i) => i !== axis) }, [x]);

/** 1/√x. */
const inverseRoot = (emit: Emit, x: Var): Var =>
  div(emit, constantLike(emit, 1, x.type), unary(emit, 'sqrt', x));

/** u by second moments of rows and columns: v_row/mean(v_row) of each row, v_col of each column. */
const factored = (
  { emit, keep }: Site,
  { name, update: u }: Weight,
  square: Var,
  mix: (before: Var, x: Var) => Var,
): Var => {
  const { shape } = u.type;
  const [second, first] = longestAxes(shape);
  const kept = (moment: string, axis: number): Var => {
    const mean = meanAlong(emit, square, axis);
    return keep(moment, name, mean.type, 0, (now) => mix(now, mean)).next;
  };
  const rows = kept('rows', first);
  const columns = kept('columns', second);
  const place = second > first ? second - 1 : second;
  const share = repeatedAlong(emit, meanAlong(emit, rows, place), without(shape, first), place);
  const byRows = inverseRoot(emit, div(emit, rows, share));
  const byColumns = inverseRoot(emit, columns);
  return mul(
    emit,
    mul(emit, u, repeatedAlong(emit, byRows, shape, first)),
    repeatedAlong(emit, byColumns, shape, second),
  );
};

const rows: { readonly [T in Update['tag']]: Row<T> } = {
  clipNorm: ({ norm: most }, weights, { emit }) => {
    const norm = normOf(
      emit,
      weights.map(({ update }) => update),
    );
    const limit = scalar(emit, most);
    const factor = emit('divNoNan', {}, [limit, binary(emit, 'max', norm, limit)]);
    return each(({ update }) => scaled(emit, factor, update))(weights);
  },
  clipValue: ({ value }, weights, { emit }) =>
    each(({ update: u }) => {
      const above = binary(emit, 'max', u, constantLike(emit, -value, u.type));
      return binary(emit, 'min', above, constantLike(emit, value, u.type));
    })(weights),
  momentum: ({ momentum, nesterov }, weights, { emit, keep }) =>
    momentum === 0
      ? weights
      : each(({ name, update: u }) => {
          const { next: velocity } = keep('velocity', name, u.type, 0, (now) =>
            add(emit, times(emit, now, momentum), u),
          );
          return nesterov ? add(emit, u, times(emit, velocity, momentum)) : velocity;
        })(weights),
  scaleByAdam: ({ beta1, beta2, epsilon, nesterov }, weights, { emit, keep, count }) => {
    const [first, second] = [correction(emit, beta1, count), correction(emit, beta2, count)];
    const ahead = nesterov ? correction(emit, beta1, add(emit, count, scalar(emit, 1))) : first;
    return each(({ name, update: u }) => {
      const { next: mean } = keep('mean', name, u.type, 0, (now) => mixed(emit, beta1, now, u));
      const { next: square } = keep('square', name, u.type, 0, (now) =>
        mixed(emit, beta2, now, squareOf(emit, u)),
      );
      const corrected = scaled(emit, ahead, mean);
      const direction = nesterov ? mixed(emit, beta1, corrected, scaled(emit, first, u)) : corrected;
      const root = unary(emit, 'sqrt', scaled(emit, second, square));
      return div(emit, direction, plus(emit, root, epsilon));
    })(weights);
  },
  scaleByRms: ({ decay, epsilon, centered }, weights, { emit, keep }) =>
    each(({ name, update: u }) => {
      const { next: square } = keep('square', name, u.type, 0, (now) =>
        mixed(emit, decay, now, squareOf(emit, u)),
      );
      if (!centered) return byRoot(emit, u, square, epsilon);
      const { next: mean } = keep('mean', name, u.type, 0, (now) => mixed(emit, decay, now, u));
      return byRoot(emit, u, sub(emit, square, squareOf(emit, mean)), epsilon);
    })(weights),
  scaleByRss: ({ initial, epsilon }, weights, { emit, keep }) =>
    each(({ name, update: u }) => {
      const { next: sum } = keep('sum', name, u.type, initial, (now) => add(emit, now, squareOf(emit, u)));
      return byRoot(emit, u, sum, epsilon);
    })(weights),
  scaleByLion: ({ beta1, beta2 }, weights, { emit, keep }) =>
    each(({ name, update: u }) => {
      const { now: mean } = keep('mean', name, u.type, 0, (now) => mixed(emit, beta2, now, u));
      return signOf(emit, mixed(emit, beta1, mean, u));
    })(weights),
  scaleByFactoredRms: ({ decay, epsilon, least }, weights, site) => {
    const { emit, keep, count } = site;
    // 1 − t^−decay of what was before.
    const fresh = emit('pow', {}, [count, scalar(emit, -decay)]);
    const old = sub(emit, scalar(emit, 1), fresh);
    const mix = (before: Var, x: Var): Var => add(emit, scaled(emit, old, before), scaled(emit, fresh, x));
    return each((weight) => {
      const { name, update: u } = weight;
      const square = plus(emit, squareOf(emit, u), epsilon);
      const [second] = longestAxes(u.type.shape);
      if (u.type.shape.length >= 2 && elementAt(u.type.shape, second) >= least)
        return factored(site, weight, square, mix);
      const { next: whole } = keep('square', name, u.type, 0, (now) => mix(now, square));
      return mul(emit, u, inverseRoot(emit, whole));
    })(weights);
  },
  clipBlock: ({ most }, weights, { emit }) =>
    each(({ update: u }) => {
      const over = mul(emit, rootMeanSquare(emit, u), scalar(emit, 1 / most));
      const factor = binary(emit, 'max', over, scalar(emit, 1));
      return div(emit, u, fillShape(emit, factor, u.type.shape));
    })(weights),
  scaleByBlock: ({ least }, weights, { emit }) =>
    each(({ value, update }) =>
      scaled(emit, binary(emit, 'max', rootMeanSquare(emit, value), scalar(emit, least)), update),
    )(weights),
  weightDecay: ({ weight }, weights, { emit, number }) => {
    const by = number(weight);
    return each(({ value, update }) => add(emit, update, scaled(emit, by, value)))(weights);
  },
  scaleUpdate: ({ by }, weights, { emit, number }) => {
    const factor = number(by);
    return each(({ update }) => scaled(emit, factor, update))(weights);
  },
  only: ({ where, chain }, weights, site) => {
    const isMeant = matches(where);
    const changed = updated(
      chain,
      weights.filter(({ name }) => isMeant(name)),
      site,
    );
    return weights.map((weight) => changed.find(({ name }) => name === weight.name) ?? weight);
  },
  // Their gradients are left out before the chain begins.
  freeze: (_, weights) => weights,
};

/** What the moments of an update are called. */
const groups: { readonly [T in Update['tag']]?: string } = {
  momentum: 'momentum',
  scaleByAdam: 'adam',
  scaleByRms: 'rms',
  scaleByRss: 'adagrad',
  scaleByLion: 'lion',
  scaleByFactoredRms: 'adafactor',
};

const one = (update: Update, weights: readonly Weight[], around: Site): readonly Weight[] => {
  const group = groups[update.tag];
  const site = group === undefined ? around : { ...around, keep: around.keepFor(group) };
  switch (update.tag) {
    case 'clipNorm': return rows.clipNorm(update, weights, site);
    case 'clipValue': return rows.clipValue(update, weights, site);
    case 'momentum': return rows.momentum(update, weights, site);
    case 'scaleByAdam': return rows.scaleByAdam(update, weights, site);
    case 'scaleByRms': return rows.scaleByRms(update, weights, site);
    case 'scaleByRss': return rows.scaleByRss(update, weights, site);
    case 'scaleByLion': return rows.scaleByLion(update, weights, site);
    case 'scaleByFactoredRms': return rows.scaleByFactoredRms(update, weights, site);
    case 'clipBlock': return rows.clipBlock(update, weights, site);
    case 'scaleByBlock': return rows.scaleByBlock(update, weights, site);
    case 'weightDecay': return rows.weightDecay(update, weights, site);
    case 'scaleUpdate': return rows.scaleUpdate(update, weights, site);
    case 'only': return rows.only(update, weights, site);
    case 'freeze': return rows.freeze(update, weights, site);
  } // prettier-ignore
};

/** What a chain leaves of the gradients. */
export const updated = (
  chain: readonly Update[],
  weights: readonly Weight[],
  site: Site,
): readonly Weight[] => chain.reduce((before, update) => one(update, before, site), weights);
