/** Which way a volume is computed: what the user said, or what costs less. */
import type { Node } from '../../dsl/expr.js';
import { exactVolume, surrogateVolume } from '../../dsl/volume.js';
import { sizeOfShape } from '../type.js';
import type { Application, Context } from './context.js';

/** The expression that a volume stands for; outside training it is the exact one. */
export const expandVolume = (
  context: Context,
  node: Extract<Node, { readonly tag: 'volume' }>,
  { at, outputs }: Application,
): Node => {
  const output = outputs.get(node.output)?.type.shape ?? [];
  const isTall = sizeOfShape(at.type.shape) <= sizeOfShape(output);
  const exact = exactVolume(node, isTall ? 'columns' : 'rows', isTall ? at.type.shape : output);
  return context.mode === 'inference' || node.method === 'exact' || node.probes === undefined
    ? exact
    : surrogateVolume(node, node.probes);
};
