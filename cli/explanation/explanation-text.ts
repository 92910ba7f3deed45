/** An explanation as text for a terminal of 100 columns. */
import { elementAt } from '../../dsl/lookup.js';
import { showShape } from '../../dsl/index.js';
import type { SolveCost } from '../../compiler/index.js';
import type { LayerRow, NetworkPart } from './explanation-network.js';
import type { ProductPart, SystemPart, VolumePart } from './explanation-jacobian.js';
import type { Explanation, StepPart, TrainingPart } from './explanation.js';

const columns = 100;
const gap = 2;

/** Three digits and the letter of the power of 1000: `1.09 M`. */
export const short = (value: number): string => {
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(Number(value.toPrecision(3))) / 3));
  const digits = power === 0 ? String(value) : (value / 1000 ** power).toPrecision(3);
  return `${digits}${['', ' k', ' M', ' G', ' T'][power]}`;
};

export const shortBytes = (bytes: number): string => {
  const text = short(bytes);
  return text.includes(' ') ? `${text}B` : `${text} B`;
};

const none = (value: number, show: (value: number) => string): string => (value === 0 ? '·' : show(value));

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** Rows in columns; those named in `right` align to the right, and `flexible` gives way where the terminal is too narrow. */
const table = (
  rows: readonly (readonly string[])[],
  right: readonly number[],
  flexible: number,
): readonly string[] => {
  const natural = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => elementAt(row, i).length)));
  const total = natural.reduce((sum, width) => sum + width + gap, 0);
  const widths = natural.map((width, i) =>
    i === flexible ? Math.min(width, Math.max(12, width - (total - columns))) : width,
  );
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const text = cut(cell, elementAt(widths, i));
        return right.includes(i) ? text.padStart(elementAt(widths, i)) : text.padEnd(elementAt(widths, i));
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
};

const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? '' : `  ${line}`));

const outputsText = (outputs: LayerRow['outputs']): string =>
  Object.entries(outputs)
    .map(([name, shape]) => (name === '' ? showShape(shape) : `${name} ${showShape(shape)}`))
    .join(' ');

const networkLines = (net: NetworkPart): readonly string[] => {
  const last = net.layers.at(-1);
  const rows = net.layers.map((row) => [
    row.path.slice(net.name.length + 1),
    row.layer,
    outputsText(row.outputs),
    none(row.parameters, short),
    none(row.flops, short),
    shortBytes(row.bytes),
  ]);
  const total = ['', 'in all', '', short(net.parameters), short(net.flops), shortBytes(net.bytes)];
  return [
    `${net.name}  ${showShape(net.input)} → ${last === undefined ? showShape(net.input) : outputsText(last.outputs)}`,
    '',
    ...indented(
      table([['path', 'layer', 'output', 'weights', 'FLOPs', 'memory'], ...rows, total], [3, 4, 5], 1),
    ),
    '',
  ];
};

const titled = ({ expression, terms }: { readonly expression: string; readonly terms: readonly string[] }) =>
  `${expression}  in ${terms.join(', ')}`;

const productLines = (part: ProductPart): readonly string[] => {
  const { method, probes, network, input, output, flops, exact, otherwise } = part;
  const [direction, back, other] =
    method === 'forward probe' ? ['tangent', '', 'cotangents'] : ['cotangent', ' back', 'tangents'];
  const count = probes === 1 ? `one ${direction}` : `${probes} ${direction}s`;
  return [
    titled(part),
    `  ${method}, k = ${probes}: ${count}${back} through ${network}, ${short(probes * flops)}FLOPs an example beyond its value`,
    `  the whole Jacobian ${showShape(input)} → ${showShape(output)} would take ${exact}: ${short(exact * flops)}FLOPs; by ${other} ${otherwise}`,
  ];
};

/** A way of computing something, with what it costs in products with J. */
type Way = { readonly name: string; readonly how: string; readonly products: number };

const wayLines = (ways: readonly Way[], flops: number): readonly string[] =>
  indented(
    table(
      ways.map(({ name, how, products }) => [
        name,
        how,
        `${short(products)} products`,
        `${short(products * flops)}FLOPs`,
      ]),
      [2, 3],
      1,
    ),
  );

const solveWays = ({ chosen, factor, conjugateGradients }: SolveCost): readonly Way[] => {
  const rounds = { name: 'conjugate gradients', how: 'two products a round', products: conjugateGradients };
  if (factor === undefined) return [rounds];
  const columns = { name: 'Cholesky factor', how: 'all columns of J', products: factor };
  return chosen === 'factor' ? [columns, rounds] : [rounds, columns];
};

/** Why the first of some ways was taken. */
const reason = (ways: readonly Way[], onlyOne: string, asked = false): string => {
  if (ways.length === 1) return onlyOne;
  if (asked) return 'as the specification says';
  return elementAt(ways, 0).products < elementAt(ways, 1).products
    ? 'which costs less'
    : 'which costs no more';
};

const volumeLines = ({ asked, probes, flops, cost, ...place }: VolumePart): readonly string[] => {
  const { chosen, by, exact, stochastic } = cost;
  const whole = { name: 'exact', how: `all ${by} of J, and their gradient`, products: exact };
  const solving = stochastic === undefined ? [] : solveWays(stochastic.solve);
  const sampled =
    stochastic === undefined
      ? []
      : [
          {
            name: 'stochastic',
            how: `k = ${probes}: ${stochastic.solve.chosen === 'factor' ? 'L⁻ᵀε, a product and its gradient' : '(JᵀJ)⁻¹ε, two products and their gradient'}`,
            products: stochastic.products,
          },
        ];
  const ways = chosen === 'exact' ? [whole, ...sampled] : [...sampled, whole];
  const why = reason(ways, 'the only way where inputs outnumber outputs', asked !== 'auto');
  return [
    titled(place),
    `  ${chosen}, ${why}${chosen === 'exact' ? '' : '; evaluation is exact'}`,
    ...wayLines(ways, flops),
    ...(chosen === 'exact' ? [] : [`  (JᵀJ)⁻¹ε`, ...indented(wayLines(solving, flops))]),
  ];
};

const systemLines = ({ cost, flops, ...place }: SystemPart): readonly string[] => {
  const ways = solveWays(cost);
  return [
    titled(place),
    `  ${ways[0]?.name}, ${reason(ways, 'whose rounds are bounded')}`,
    ...wayLines(ways, flops),
  ];
};

const stepLines = (step: StepPart): readonly string[] => {
  const times = step.timesAutoencoder;
  const against =
    times === undefined ? '' : `${times.toFixed(2)} × the plain autoencoder's on these networks`;
  return [
    `a training step  batch ${step.batch}, ${step.equations} equations`,
    '',
    ...indented(
      table(
        [
          ['weights', short(step.parameters.count), shortBytes(step.parameters.bytes)],
          ['FLOPs', short(step.flops), against],
          [
            'bytes read and written',
            shortBytes(step.bytes),
            `${(step.flops / Math.max(1, step.bytes)).toFixed(1)} FLOPs a byte, before fusion`,
          ],
          [
            'peak memory',
            shortBytes(step.peak),
            'weights, moments and whatever is alive at once, before fusion',
          ],
        ],
        [1],
        2,
      ),
    ),
  ];
};

const densityLines = (density: Explanation['density']): readonly string[] =>
  density === null
    ? []
    : [
        `density  of an example, in nats${density.isOnManifold ? ', with respect to volume on the manifold that it is projected to' : ''}`,
        '',
        ...indented(density.formula.split('\n')),
        '',
      ];

const trainingLines = (part: TrainingPart): readonly string[] => {
  const hypers = Object.entries(part.hypers).map(([name, value]) => `${name} ${value}`);
  const validated = part.validateEvery === 0 ? 'no validation' : `validation every ${part.validateEvery}`;
  return [
    ...(hypers.length === 0 ? [] : [`hyper-parameters  ${hypers.join(', ')}`]),
    `optimizer  ${part.optimizer}, rate ${part.rate}`,
    `training  ${part.steps} steps on ${part.data}, ${validated}`,
    '',
  ];
};

export const explanationText = (explanation: Explanation): string => {
  const { networks, objective, density, training, jacobians, volumes, systems, step } = explanation;
  const lines = [
    ...volumes.flatMap(volumeLines),
    ...systems.flatMap(systemLines),
    ...jacobians.flatMap(productLines),
  ];
  return [
    ...networks.flatMap(networkLines),
    'objective  the sum of these terms, its mean over the batch',
    '',
    ...indented(objective.split('\n')),
    '',
    ...densityLines(density),
    ...trainingLines(training),
    ...(lines.length === 0
      ? []
      : [
          'Jacobians  products are those of J with one direction for one example',
          '',
          ...indented(lines),
          '',
        ]),
    ...stepLines(step),
    '',
    'FLOPs and memory of a layer are those of one example; FLOPs count products and convolutions.',
    '',
  ].join('\n');
};
