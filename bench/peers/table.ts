/** Our own side of a rectangular flow's step: a backend (first argument) takes steps of a table by a method (second and third) as JSON lines ask for them. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { startBackend } from 'immersion/runs';
import { accepted, refuse } from '../options.js';
import { compiledTable, type Method, tables } from './rectangular.js';
import { ours, type Stepper } from './steppers.js';
import type { ArrayEntry } from './workloads.js';

/** As peers are asked; the folder of `file` holds a table's arrays under that name. */
type Asked =
  | {
      readonly op: 'prepare';
      readonly file: string;
      readonly arrays: readonly ArrayEntry[];
      readonly gradients: string;
    }
  | { readonly op: 'time'; readonly steps: number }
  | { readonly op: 'end' };

const [, , backendName = 'wasm', tableName = '', methodName = ''] = process.argv;
const methods: readonly Method[] = ['exact', 'stochastic'];
const method =
  methods.find((one) => one === methodName) ?? refuse('method', methodName, methods.join(' or '));
const table =
  tables.find(({ name }) => name === tableName) ??
  refuse('table', tableName, tables.map(({ name }) => name).join(' or '));

const answer = (value: unknown): void => console.log(JSON.stringify(value));
let stepper: Stepper | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  const request: Asked = JSON.parse(line);
  if (request.op === 'prepare') {
    const compiled = compiledTable(table, method);
    const backend = accepted(await startBackend(backendName));
    const folder = { path: dirname(request.file), arrays: request.arrays };
    stepper = await ours(backend, method, compiled, folder, 'wall');
    writeFileSync(request.gradients, new Uint8Array(stepper.gradients.buffer));
    answer({ ...stepper.ready, backend: backend.description });
  } else if (request.op === 'time' && stepper !== undefined)
    answer({ milliseconds: await stepper.time(request.steps) });
  else process.exit(0);
}
