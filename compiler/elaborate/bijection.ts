/** Holds layers that are written as expressions both ways to what they say of themselves, by running them at a few points. */
import { someLayer, innerLayers } from '../../dsl/layers/rewrite.js';
import type { DefinedBijection, Layer, NetworkValue, Node } from '../../dsl/grammar.js';
import { float64At } from '../../dsl/lookup.js';
import { written } from '../../dsl/network.js';
import { fieldPath } from '../../dsl/path.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { sizeOf } from '../../dsl/shape.js';
import { interpret } from '../ir/interpret.js';
import { atRows } from '../ir/operations.js';
import type { Output } from '../ir/program.js';
import { elementCount } from '../ir/type.js';
import { keyOf } from '../ir/key.js';
import { type Context, createContext } from './context.js';
import { createElaborate } from './expression.js';

type Located = { readonly layer: DefinedBijection; readonly path: string };

/** The layers of that kind among others and inside them. */
const among = (layers: readonly Layer[], path: string): readonly Located[] =>
  layers.flatMap((layer, i) => [
    ...(layer.tag === 'bijection' ? [{ layer, path: `${path}[${i}]` }] : []),
    ...among(innerLayers(layer), `${path}[${i}].layers`),
  ]);

const POINTS = 4;

/** More columns of a Jacobian than that are not looked at. */
const MOST = 64;

/** Random numbers on [−1, 1], for points and weights alike. */
const numbers = (count: number, name: string): Float64Array =>
  uniforms(deriveKey(1, name), [0, 0, 0], count).map((u) => 2 * u - 1);

const TOLERANCE = 1e-6;

type Looked = {
  readonly point: Float64Array;
  readonly back: Float64Array;
  readonly logDet: Float64Array;
  /** Of the whole Jacobian; absent for one of many columns. */
  readonly exact: Float64Array | undefined;
};

/** The layer alone, at random points and weights; undefined where it is ill-formed, which is reported elsewhere. */
const lookedAt = (layer: DefinedBijection): Looked | undefined => {
  const network: NetworkValue = { name: 'bijection', input: layer.input, layers: [layer] };
  const back: NetworkValue = {
    name: 'bijection',
    input: layer.output,
    layers: [layer],
    inverts: layer.input,
  };
  const x: Node = { tag: 'data', shape: layer.input };
  const y: Node = { tag: 'apply', network, at: x, output: '' };
  const isLooked = sizeOf(layer.input) <= MOST && sizeOf(layer.input) === sizeOf(layer.output);
  const columns: Node = {
    tag: 'jvp',
    network,
    at: x,
    tangent: { tag: 'basis', shape: layer.input },
    output: '',
  };
  const asked: Readonly<Record<string, Node>> = {
    point: x,
    back: { tag: 'apply', network: back, at: y, output: '' },
    logDet: { tag: 'logDet', network, at: x },
    ...(isLooked ? { columns } : {}),
  };
  const context: Context = createContext(createElaborate, 'inference', POINTS, layer.input);
  const elaborate = createElaborate(context);
  const outputs = Object.entries(asked).flatMap(([name, node]): readonly Output[] => {
    const value = elaborate(node, name);
    return value === null ? [] : [{ kind: 'value', name, var: atRows(context.builder.emit, 1, value) }];
  });
  if (context.problems.length > 0 || outputs.length < Object.keys(asked).length) return undefined;
  const { builder } = context;
  const program = {
    name: 'bijection',
    batch: POINTS,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs,
  };
  const inputs = new Map(
    program.binders.map((binder) => [
      binder.name,
      numbers(elementCount(binder.var.type, POINTS), binder.name),
    ]),
  );
  const { value } = interpret(program, inputs);
  const of = (name: string): Float64Array => value.get(name) ?? new Float64Array();
  return {
    point: of('point'),
    back: of('back'),
    logDet: of('logDet'),
    exact: isLooked ? logDeterminants(of('columns'), sizeOf(layer.input)) : undefined,
  };
};

/** ln |det| of each of the matrices by elimination with pivots; a column of the Jacobian is a row here. */
const logDeterminants = (columns: Float64Array, n: number): Float64Array =>
  Float64Array.from({ length: columns.length / (n * n) }, (_, b) => {
    let rows = Array.from({ length: n }, (_row, i) => columns.slice((b * n + i) * n, (b * n + i + 1) * n));
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const [pivot, ...rest] = rows.sort((a, c) => Math.abs(float64At(c, k)) - Math.abs(float64At(a, k)));
      if (pivot === undefined) return Number.NaN;
      rows = rest;
      sum += Math.log(Math.abs(float64At(pivot, k)));
      for (const row of rows) {
        const factor = float64At(row, k) / float64At(pivot, k);
        for (let j = k; j < n; j++) row[j] = float64At(row, j) - factor * float64At(pivot, j);
      }
    }
    return sum;
  });

const shown = (values: Float64Array): string =>
  `[${[...values.subarray(0, 6)].map((value) => Number(value.toPrecision(4))).join(', ')}${values.length > 6 ? ', …' : ''}]`;

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));

const problemsOf = ({ layer, path }: Located): readonly Problem[] => {
  const looked = lookedAt(layer);
  if (looked === undefined) return [];
  const { point, back, logDet, exact } = looked;
  const n = sizeOf(layer.input);
  const wrong = point.findIndex((value, i) => !isNear(float64At(back, i), value));
  if (wrong >= 0) {
    const at = Math.floor(wrong / n);
    const part = (values: Float64Array): Float64Array => values.subarray(at * n, (at + 1) * n);
    return [
      problem(
        `${path}.inverse`,
        `a way back from x = ${shown(part(point))} to ${shown(part(back))}`,
        'a way back to x',
        `${layer.name} is no bijection with these weights: numbers between −1 and 1`,
      ),
    ];
  }
  const off = exact?.findIndex((value, i) => !isNear(float64At(logDet, i), value)) ?? -1;
  return exact === undefined || off < 0
    ? []
    : [
        problem(
          `${path}.logDeterminant`,
          `${Number(float64At(logDet, off).toPrecision(6))} at x = ${shown(point.subarray(off * n, (off + 1) * n))}`,
          `${Number(float64At(exact, off).toPrecision(6))}, that of its Jacobian there`,
        ),
      ];
};

/** What is wrong with the bijections of networks that are written as expressions, each looked at once. */
export const bijectionProblems = (networks: Iterable<NetworkValue>): readonly Problem[] => {
  const seen = new Set<string>();
  return [...networks].flatMap((net) => {
    const { name, layers } = written(net);
    if (!someLayer(layers, ({ tag }) => tag === 'bijection')) return [];
    return among(layers, `${fieldPath('networks', name)}.layers`).flatMap((located) => {
      const key = keyOf(located.layer);
      if (seen.has(key)) return [];
      seen.add(key);
      return problemsOf(located);
    });
  });
};
