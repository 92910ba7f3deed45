/** Curves of several runs in one drawing: a line for the training of each, dots for its validations. */
import type { Curve, Point } from './curve.js';
import { axes, fixed, HEIGHT, pathOf, type Scale, WIDTH } from './chart.js';
import { escaped, numberText } from './text.js';

export type Series = { readonly name: string; readonly curve: Curve; readonly colour: number };

/** Told apart in the light, in the dark and by most eyes (Okabe and Ito). */
export const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;

const dots = (points: readonly Point[], x: Scale, y: Scale, colour: string, name: string): string =>
  points
    .map(
      ({ step, value }) =>
        `<circle cx="${fixed(x(step))}" cy="${fixed(y(value))}" r="3" fill="${colour}"><title>${escaped(name)} after ${step} steps: ${numberText(value)}</title></circle>`,
    )
    .join('');

export const overlay = (title: string, series: readonly Series[]): string => {
  const curves = series.map(({ curve }) => ({ ...curve, raw: [] }));
  const logarithmic = curves.length > 0 && curves.every((curve) => curve.logarithmic);
  const { x, y, svg } = axes(curves, logarithmic);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)} of each run over the steps of training">`,
    svg,
    ...series.map(({ name, curve, colour }) => {
      const stroke = colours[colour % colours.length] ?? colours[0];
      return `<path class="smooth" style="stroke: ${stroke}" d="${pathOf(curve.smooth, x, y)}"/>${dots(curve.validation, x, y, stroke, name)}`;
    }),
    '</svg>',
  ].join('');
};
