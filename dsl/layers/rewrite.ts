/** Walking and rewriting layers: those inside a layer, the expressions that layers are defined by, and maps from the inside out. */
import { isRecord } from '../codec/codec.js';
import type { Layer, Node } from '../grammar.js';
import type { Path } from '../path.js';
import { layerFields, layerFieldsOf } from './fields.js';

/** Whether a value of a field is a layer; fields are read by name, so their types are not known. */
const isLayer = (u: unknown): u is Layer =>
  isRecord(u) && typeof u.tag === 'string' && Object.hasOwn(layerFields, u.tag);

const layersIn = (u: unknown): readonly Layer[] => (Array.isArray(u) ? u.filter(isLayer) : []);

/** The lists of layers that a layer holds, by field. A kernel inside a spectral layer is a part of it, and not among them. */
const fieldsWithin = (layer: Layer): readonly (readonly [string, 'layers' | 'branches', unknown])[] => {
  const fields = layerFieldsOf(layer);
  return Object.entries<unknown>(layer).flatMap(([field, held]) => {
    const kind = fields[field]?.kind;
    return kind === 'layers' || kind === 'branches' ? [[field, kind, held] as const] : [];
  });
};

const branchesIn = (held: unknown): readonly (readonly [string, readonly Layer[]])[] =>
  isRecord(held) ? Object.entries(held).map(([name, inner]) => [name, layersIn(inner)] as const) : [];

/** The layers directly inside a layer. */
export const innerLayers = (layer: Layer): readonly Layer[] =>
  fieldsWithin(layer).flatMap(([, kind, held]) =>
    kind === 'layers' ? layersIn(held) : branchesIn(held).flatMap(([, inner]) => inner),
  );

/** Whether something holds for a layer or for one inside it. */
export const someLayer = (layers: readonly Layer[], holds: (layer: Layer) => boolean): boolean =>
  layers.some((layer) => holds(layer) || someLayer(innerLayers(layer), holds));

/** The layer with `f` applied to itself and everything inside it, from the inside out. */
export const mapLayer = (layer: Layer, f: (layer: Layer) => Layer): Layer => {
  const map = (inner: readonly Layer[]): readonly Layer[] => inner.map((one) => mapLayer(one, f));
  const changed = fieldsWithin(layer).map(([field, kind, held]): readonly [string, unknown] => [
    field,
    kind === 'layers'
      ? map(layersIn(held))
      : Object.fromEntries(branchesIn(held).map(([name, inner]) => [name, map(inner)])),
  ]);
  return f(changed.length === 0 ? layer : { ...layer, ...Object.fromEntries(changed) });
};

type Body = { readonly path: Path; readonly node: Node };

const isNode = (u: unknown): u is Node => isRecord(u) && typeof u.tag === 'string';

/** The expressions that a layer itself is defined by: one in a field, or one for each name. */
const ownBodies = (layer: Layer): readonly Body[] => {
  const fields = layerFieldsOf(layer);
  return Object.entries<unknown>(layer).flatMap(([field, held]): readonly Body[] => {
    const kind = fields[field]?.kind;
    if (kind === 'node' && isNode(held)) return [{ path: [field], node: held }];
    return kind === 'named' && isRecord(held)
      ? Object.entries(held).flatMap(([name, node]) => (isNode(node) ? [{ path: [field, name], node }] : []))
      : [];
  });
};

/** The expressions that layers are defined by, also inside other layers, with their paths from the list of layers. */
export const bodiesOf = (layers: readonly Layer[]): readonly Body[] =>
  layers.flatMap((layer, i): readonly Body[] => [
    ...ownBodies(layer).map(({ path, node }) => ({ path: [i, ...path], node })),
    ...fieldsWithin(layer).flatMap(([field, kind, held]) =>
      kind === 'layers'
        ? bodiesOf(layersIn(held)).map(({ path, node }) => ({ path: [i, field, ...path], node }))
        : branchesIn(held).flatMap(([name, inner]) =>
            bodiesOf(inner).map(({ path, node }) => ({ path: [i, field, name, ...path], node })),
          ),
    ),
  ]);

/** A layer with the expressions that it is defined by replaced. */
const withBodies = (layer: Layer, f: (body: Node) => Node): Layer => {
  switch (layer.tag) {
    case 'defined':
      return {
        ...layer,
        outputs: Object.fromEntries(Object.entries(layer.outputs).map(([name, node]) => [name, f(node)])),
      };
    case 'bijection':
      return {
        ...layer,
        forward: f(layer.forward),
        inverse: f(layer.inverse),
        logDeterminant: f(layer.logDeterminant),
      };
    default:
      return layer;
  }
};

/** The layers with every expression that they are defined by replaced; the very same where nothing changes. */
export const mapBodies = (layers: readonly Layer[], f: (body: Node) => Node): readonly Layer[] =>
  bodiesOf(layers).every(({ node }) => f(node) === node)
    ? layers
    : layers.map((layer) => mapLayer(layer, (one) => withBodies(one, f)));
