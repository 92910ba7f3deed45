/** The networks whose training steps are made ready: the perceptrons, the paper's for MNIST whole and at an eighth of their width, a rectangular flow. */
import { elementAt } from '../../dsl/lookup.js';
import type { Compiled } from 'immersion/compiler';
import { compiledTable, tables } from '../peers/rectangular.js';
import { compiledOf, workloads } from '../peers/workloads.js';

const workload = (name: string) => (): Compiled =>
  compiledOf(
    elementAt(
      workloads.filter((one) => one.name === name),
      0,
    ),
    'injFlowLn',
  );

export const nets: Readonly<Record<string, () => Compiled>> = {
  mlp: workload('mlp'),
  mnist: workload('mnist-16'),
  eighth: workload('eighth-64'),
  hepmass: () => compiledTable(elementAt(tables, 0), 'exact'),
};
