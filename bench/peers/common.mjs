/** What the peers in JavaScript share: JSON lines on stdin and stdout, arrays as raw float32 in files; as common.py. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const terms = ['loss', 'prior', 'reconstruction', 'volume', 'injectivity'];

const clocks = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** TensorFlow's 'same': the odd row of padding comes last. */
export const samePadding = (size, kernel, stride) => {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
};

export const layersOf = ({ name, layers }) => layers.map((layer, i) => [`${name}/${i}.${layer.tag}`, layer]);

/** The paper's penalty schedule, 1 + i^nu / 1000. */
export const growth = ({ nu }, step) => 1 + step ** nu / 1000;

const readArrays = ({ file, arrays }) => {
  const bytes = readFileSync(file);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Map(
    arrays.map((entry) => [
      entry.name,
      { ...entry, values: numbers.slice(entry.offset, entry.offset + sizeOf(entry.shape)) },
    ]),
  );
};

/**
 * `build(workload, arrays)` gives `step(i)`, a promise of the five terms, and `firstMoments()`, a promise of Adam's first moments as
 * Float32Arrays by name.
 */
export const serve = async (versions, build) => {
  const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  let model;
  let count = 0;
  const step = async () => {
    const values = await model.step(count);
    count += 1;
    return values;
  };
  const named = (values) => Object.fromEntries(terms.map((name, i) => [name, values[i]]));
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.op === 'prepare') {
      model = await build(request.workload, readArrays(request));
      const first = named(await step());
      const moments = await model.firstMoments();
      const parameters = request.arrays.filter(({ role }) => role === 'parameter');
      const gradients = parameters.map(({ name }) => moments.get(name).map((m) => m / 0.1));
      writeFileSync(request.gradients, Buffer.concat(gradients.map((g) => Buffer.from(g.buffer))));
      answer({ versions, terms: [first, named(await step())] });
    } else if (request.op === 'time') {
      const now = clocks[request.clock];
      const milliseconds = [];
      for (let i = 0; i < request.steps; i++) {
        const start = now();
        await step();
        milliseconds.push(now() - start);
      }
      answer({ milliseconds });
    } else process.exit(0);
  }
};
