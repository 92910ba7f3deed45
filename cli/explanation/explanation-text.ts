/** An explanation as text for a terminal of so many columns. */
import { elementAt } from '../../dsl/lookup.js';
import { showShape } from '../../dsl/index.js';
import { aligned, USUAL_COLUMNS, wrapped } from '../terminal/width.js';
import type { SolveCost } from '../../compiler/index.js';
import type { LayerRow, NetworkPart } from './explanation-network.js';
import type { ProductPart, SystemPart, VolumePart } from './explanation-jacobian.js';
import type { Explanation, StepPart, TrainingPart } from './explanation.js';

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

const INDENT = 2;

const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? '' : `${' '.repeat(INDENT)}${line}`));

const outputsText = (outputs: LayerRow['outputs']): string =>
  Object.entries(outputs)
    .map(([name, shape]) => (name === '' ? showShape(shape) : `${name} ${showShape(shape)}`))
    .join(' ');

const networkLines = (net: NetworkPart, columns: number): readonly string[] => {
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
      aligned([['path', 'layer', 'output', 'weights', 'FLOPs', 'memory'], ...rows, total], {
        isRight: (i) => i >= 3,
        flexible: 1,
        columns: columns - INDENT,
      }),
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

/** Within the ways of a place, which is itself further in. */
const WAYS_INDENT = 3 * INDENT;

const wayLines = (ways: readonly Way[], flops: number, columns: number): readonly string[] =>
  indented(
    aligned(
      ways.map(({ name, how, products }) => [
        name,
        how,
        `${short(products)} products`,
        `${short(products * flops)}FLOPs`,
      ]),
      { isRight: (i) => i >= 2, flexible: 1, columns: columns - WAYS_INDENT },
    ),
  );

const solveWays = ({ chosen, factor, conjugateGradients }: SolveCost): readonly Way[] => {
  const rounds = { name: 'conjugate gradients', how: 'two products a round', products: conjugateGradients };
  if (factor === undefined) return [rounds];
  const factored = { name: 'Cholesky factor', how: 'all columns of J', products: factor };
  return chosen === 'factor' ? [factored, rounds] : [rounds, factored];
};

/** Why the first of some ways was taken. */
const reason = (ways: readonly Way[], onlyOne: string, asked = false): string => {
  if (ways.length === 1) return onlyOne;
  if (asked) return 'as the specification says';
  return elementAt(ways, 0).products < elementAt(ways, 1).products
    ? 'which costs less'
    : 'which costs no more';
};

const volumeLines = (
  { asked, probes, flops, cost, ...place }: VolumePart,
  columns: number,
): readonly string[] => {
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
    ...wayLines(ways, flops, columns),
    ...(chosen === 'exact' ? [] : [`  (JᵀJ)⁻¹ε`, ...indented(wayLines(solving, flops, columns))]),
  ];
};

const systemLines = ({ cost, flops, ...place }: SystemPart, columns: number): readonly string[] => {
  const ways = solveWays(cost);
  return [
    titled(place),
    `  ${ways[0]?.name}, ${reason(ways, 'whose rounds are bounded')}`,
    ...wayLines(ways, flops, columns),
  ];
};

const stepLines = (step: StepPart, columns: number): readonly string[] => {
  const times = step.timesAutoencoder;
  const against =
    times === undefined ? '' : `${times.toFixed(2)} × the plain autoencoder's on these networks`;
  return [
    `a training step  batch ${step.batch}, ${step.equations} equations`,
    '',
    ...indented(
      aligned(
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
        { isRight: (i) => i === 1, flexible: 2, columns: columns - INDENT },
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

/** How much further in the rest of a line goes on, below it. */
const HANGING = 4;

export const explanationText = (explanation: Explanation, columns = USUAL_COLUMNS): string => {
  const { networks, objective, density, training, jacobians, volumes, systems, step } = explanation;
  const lines = [
    ...volumes.flatMap((part) => volumeLines(part, columns)),
    ...systems.flatMap((part) => systemLines(part, columns)),
    ...jacobians.flatMap(productLines),
  ];
  return [
    ...networks.flatMap((part) => networkLines(part, columns)),
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
    ...stepLines(step, columns),
    '',
    'FLOPs and memory of a layer are those of one example; FLOPs count products and convolutions.',
    '',
  ]
    .flatMap((line) => wrapped(line, columns, line.search(/\S|$/) + HANGING))
    .join('\n');
};
