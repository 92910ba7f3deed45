/** An explanation as text for a terminal of 100 columns. */
import { showShape } from '../dsl/index.js';
import type {
  Explanation,
  JacobianPart,
  LayerRow,
  NetworkPart,
  StepPart,
  TrainingPart,
} from './explanation.js';

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
  const natural = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const total = natural.reduce((sum, width) => sum + width + gap, 0);
  const widths = natural.map((width, i) =>
    i === flexible ? Math.min(width, Math.max(12, width - (total - columns))) : width,
  );
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const text = cut(cell, widths[i]);
        return right.includes(i) ? text.padStart(widths[i]) : text.padEnd(widths[i]);
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

const jacobianLines = (part: JacobianPart): readonly string[] => {
  const { product, terms, method, probes, network, input, output, flops, exact } = part;
  const [direction, back] = method === 'forward probe' ? ['tangent', ''] : ['cotangent', ' back'];
  const count = probes === 1 ? `one ${direction}` : `${probes} ${direction}s`;
  return [
    `${product}  in ${terms.join(', ')}`,
    `  ${method}, k = ${probes}: ${count}${back} through ${network}, ${short(probes * flops)}FLOPs an example beyond its value`,
    `  the whole Jacobian ${showShape(input)} → ${showShape(output)} would take ${exact}: ${short(exact * flops)}FLOPs`,
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

const trainingLines = (part: TrainingPart): readonly string[] => {
  const hypers = Object.entries(part.hypers).map(([name, value]) => `${name} ${value}`);
  const clipped = part.clipNorm === undefined ? '' : `, gradients clipped to norm ${part.clipNorm}`;
  const validated = part.validateEvery === 0 ? 'no validation' : `validation every ${part.validateEvery}`;
  return [
    ...(hypers.length === 0 ? [] : [`hyper-parameters  ${hypers.join(', ')}`]),
    `optimizer  ${part.optimizer}, rate ${part.rate}${clipped}`,
    `training  ${part.steps} steps on ${part.data}, ${validated}`,
    '',
  ];
};

export const explanationText = ({ networks, objective, training, jacobians, step }: Explanation): string =>
  [
    ...networks.flatMap(networkLines),
    'objective  the sum of these terms, its mean over the batch',
    '',
    ...indented(objective.split('\n')),
    '',
    ...trainingLines(training),
    ...(jacobians.length === 0 ? [] : ['Jacobians', '', ...indented(jacobians.flatMap(jacobianLines)), '']),
    ...stepLines(step),
    '',
    'FLOPs and memory of a layer are those of one example; FLOPs count products and convolutions.',
    '',
  ].join('\n');
