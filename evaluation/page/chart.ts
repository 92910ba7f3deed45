/** A curve as an inline SVG: the steps of training faint, their running mean strong, held-out values as dots. */
import type { Curve, Point } from './curve.js';
import { escaped, numberText } from './text.js';

/** Size of a drawing, and the margins around its axes. */
export const WIDTH = 520;
export const HEIGHT = 260;
export const margins = { left: 52, right: 14, top: 12, bottom: 26 } as const;
const { left, right, top, bottom } = margins;

export type Scale = (value: number) => number;

export const fixed = (value: number): string => value.toFixed(1);

/** 1, 2 or 5 times a power of ten: the least such step that needs no more than `most` ticks. */
const niceStep = (span: number, most: number): number => {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => span / step <= most) ?? 10 * power;
};

export const linearTicks = (low: number, high: number, most: number): readonly number[] => {
  if (high <= low) return [low];
  const step = niceStep(high - low, most);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
};

/** Powers of ten, with 2 and 5 between them where there are few. */
export const logTicks = (low: number, high: number): readonly number[] => {
  const exponents = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  const every = Math.ceil(exponents.length / 6);
  const digits = exponents.length <= 3 ? [1, 2, 5] : [1];
  return exponents
    .filter((_, i) => i % every === 0)
    .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
    .filter((tick) => tick >= low && tick <= high);
};

const extent = (curves: readonly Curve[], logarithmic: boolean): readonly [number, number] => {
  const values = curves.flatMap((curve) =>
    [...curve.raw, ...curve.smooth, ...curve.validation].map(({ value }) => value),
  );
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) return [0, 1];
  if (logarithmic) return [low / 1.15, high * 1.15];
  const margin = high === low ? Math.abs(high) * 0.5 || 1 : (high - low) * 0.06;
  return [low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin];
};

export const pathOf = (points: readonly Point[], x: Scale, y: Scale): string =>
  points.map(({ step, value }, i) => `${i === 0 ? 'M' : 'L'}${fixed(x(step))} ${fixed(y(value))}`).join('');

const heldOut = (points: readonly Point[], x: Scale, y: Scale): string =>
  points.length === 0
    ? ''
    : `<path class="held" d="${pathOf(points, x, y)}"/>` +
      points
        .map(
          ({ step, value }) =>
            `<circle class="dot" cx="${fixed(x(step))}" cy="${fixed(y(value))}" r="3.5"><title>validation after ${step} steps: ${numberText(value)}</title></circle>`,
        )
        .join('');

/** The axes of some curves, what is drawn behind them, and where their points are. */
export const axes = (
  curves: readonly Curve[],
  logarithmic: boolean,
): { readonly x: Scale; readonly y: Scale; readonly svg: string } => {
  const [low, high] = extent(curves, logarithmic);
  const last = curves
    .flatMap((curve) => [...curve.raw, ...curve.smooth, ...curve.validation])
    .reduce((most, { step }) => Math.max(most, step), 1);
  const part: Scale = logarithmic
    ? (value) => Math.log(value / low) / Math.log(high / low)
    : (value) => (value - low) / (high - low);
  const x: Scale = (step) => left + (step / last) * (WIDTH - left - right);
  const y: Scale = (value) => HEIGHT - bottom - part(value) * (HEIGHT - top - bottom);
  const rows = (logarithmic ? logTicks(low, high) : linearTicks(low, high, 5)).map(
    (tick) =>
      `<line class="grid" x1="${left}" x2="${WIDTH - right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>` +
      `<text class="tick" x="${left - 8}" y="${fixed(y(tick) + 4)}" text-anchor="end">${numberText(tick)}</text>`,
  );
  const columns = linearTicks(0, last, 5).map(
    (tick) =>
      `<text class="tick" x="${fixed(x(tick))}" y="${HEIGHT - 6}" text-anchor="middle">${tick}</text>`,
  );
  return { x, y, svg: [...rows, ...columns].join('') };
};

/** The drawing alone; its caption is the page's. */
export const chart = (curve: Curve): string => {
  const { x, y, svg } = axes([curve], curve.logarithmic);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(curve.name)} over the steps of training">`,
    svg,
    `<path class="raw" d="${pathOf(curve.raw, x, y)}"/>`,
    `<path class="smooth" d="${pathOf(curve.smooth, x, y)}"/>`,
    heldOut(curve.validation, x, y),
    '</svg>',
  ].join('');
};
