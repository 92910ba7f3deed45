/** Walking and rewriting layers: those inside a layer, and maps from the inside out. */
import { isRecord } from '../codec/codec.js';
import type { Layer } from '../grammar.js';
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
