/**
 * `npm run bench -- embedding [--entries 10000] [--units 64] [--batch 256] [--rounds 9] [--json]`: a training step of a network that begins with an
 * embedding, read at its places and as a product with one-hot vectors, on wasm and cc, one thread each. By the processor's time, in turns.
 */
import { elementAt } from '../dsl/lookup.js';
import { type Compiled, compile } from 'immersion/compiler';
import {
  adam, apply, contract, data, dense, embedding, experiment, type Expr, flatten, input, layer, network, normalInitializer, oneHot,
  parameter, pipe, sqNorm, sub,
} from 'immersion/dsl'; // prettier-ignore
import { type Backend, initialState, provenance, startBackend } from 'immersion/runs';
import { clocks, quotients, type Reading, summary } from './measure.js';
import { commandLine, accepted, numberOf, optionsOf } from './options.js';

const values = optionsOf({
  entries: { type: 'string', default: '10000' },
  units: { type: 'string', default: '64' },
  batch: { type: 'string', default: '256' },
  rounds: { type: 'string', default: '9' },
  json: { type: 'boolean', default: false },
});
const [entries, units, batch, rounds] = [
  numberOf(values, 'entries'),
  numberOf(values, 'units'),
  numberOf(values, 'batch'),
  numberOf(values, 'rounds'),
];

/** The same layer by a product: one-hot vectors times the table. */
const byProduct = layer('embedding', (x: Expr<readonly [number]>): Expr<readonly [number, number]> =>
  contract('iz,zj->ij', oneHot(entries, x), parameter('table', normalInitializer(1), entries, units)),
);

const stepOf = (table: typeof byProduct): Compiled => {
  const encoder = network('encoder', pipe(input(1), table, flatten, dense(8)));
  const decoder = network('decoder', pipe(input(8), dense(1)));
  const x = data(1);
  return accepted(
    compile(
      experiment({
        encoder,
        decoder,
        objective: { reconstruction: sqNorm(sub(x, apply(decoder, apply(encoder, x)))) },
        optimizer: adam({ rate: 1e-3 }),
        batch,
        steps: 1,
        data: 'x',
      }),
    ),
  );
};

const [byPlaces, byProducts] = [stepOf(embedding(entries, units)), stepOf(byProduct)];

const tokens = Float32Array.from({ length: batch }, (_, i) => (i * 7919) % entries);

const opened = async (
  backend: Backend,
  { step }: Compiled,
  state: State,
): Promise<() => Promise<unknown>> => {
  const instance = await backend.open(new Map([[step.name, step]]), state);
  const scalars = step.binders.filter(({ kind }) => kind === 'scalar');
  const feeds = new Map([
    ...scalars.map(({ name }) => [name, Float32Array.of(1)] as const),
    ['data', tokens] as const,
  ]);
  return () => instance.run(step.name, feeds);
};

type State = ReadonlyMap<string, Float32Array>;

const stateOf = (compiled: Compiled): State =>
  new Map([...initialState(compiled, 1).arrays].map(([name, { data: held }]) => [name, held]));

const range = ({ median, least, most }: Reading, digits: number): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
const milliseconds = ({ median, least, most }: Reading): Reading => ({
  median: 1000 * median,
  least: 1000 * least,
  most: 1000 * most,
});

type Result = { readonly on: string } & Readonly<Record<'places' | 'products' | 'faster', Reading>>;

const seconds = async (run: () => Promise<unknown>): Promise<number> => {
  const start = clocks.cpu();
  await run();
  return (clocks.cpu() - start) / 1000;
};

const measured = async (on: string): Promise<Result> => {
  const backend = accepted(await startBackend(on, { threads: 1 }));
  const [places, products] = [
    await opened(backend, byPlaces, stateOf(byPlaces)),
    await opened(backend, byProducts, stateOf(byProducts)),
  ];
  const readings: { readonly places: number; readonly products: number }[] = [];
  for (let i = -1; i < rounds; i++) {
    const reading = { places: await seconds(places), products: await seconds(products) };
    if (i >= 0) readings.push(reading);
  }
  const [own, others] = [readings.map((one) => one.places), readings.map((one) => one.products)];
  return { on, places: summary(own), products: summary(others), faster: summary(quotients(others, own)) };
};

const results: readonly Result[] = [await measured('wasm'), await measured('cc')];

const { date, processor, versions } = provenance();
const command = commandLine();
console.log(
  values.json
    ? JSON.stringify({ date, processor, versions, command, results }, null, 2)
    : [
        `\`${command}\`, ${date}, ${processor}, Node ${elementAt(Object.values(versions), 2)}`,
        '',
        '| backend | ms at places | ms by products | as fast, by turns |',
        '| --- | ---: | ---: | ---: |',
        ...results.map(
          ({ on, places, products, faster }) =>
            `| ${on} | ${range(milliseconds(places), 2)} | ${range(milliseconds(products), 1)} | ${range(faster, 1)} |`,
        ),
      ].join('\n'),
);
