/** Features by graphs of others: what they give is what the graph gives, whatever its format, its layout and its batch. */
import { elementAt, float32At } from '../../../dsl/lookup.js';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/index.js';
import {
  adam,
  apply,
  averagePool,
  conv,
  data,
  dense,
  elu,
  experiment,
  flatten,
  input,
  network,
  objective,
  pipe,
  reshape,
  sqNorm,
} from '../../../dsl/index.js';
import {
  type FeatureMap,
  graphFeatures,
  resized,
  scoreName,
  frechet,
  polynomialMmd,
} from '../../../evaluation/index.js';
import { exportProgram } from '../../../backends/tensorflow/export.js';
import { openOnnx } from '../../../backends/imported/onnx.js';
import { initialState } from '../../../runs/index.js';
import { backends, hasNative } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { onnxFile } from '../../shared/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-graph-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const encoder = network(
  'encoder',
  pipe(input(4, 6, 3), conv(4, { kernel: 3 }), elu, averagePool(2), flatten, dense(5)),
);
const decoder = network('decoder', pipe(input(5), dense(72), reshape(4, 6, 3)));
const compiled = right(
  compile(
    experiment({
      encoder,
      decoder,
      objective: objective({ a: sqNorm(apply(encoder, data(4, 6, 3))) }),
      optimizer: adam({ rate: 1e-3 }),
      batch: 7,
      steps: 1,
      data: 'images',
    }),
  ),
);
const weights = new Map([...initialState(compiled, 1).arrays].map(([name, array]) => [name, array.data]));
const images = Float32Array.from({ length: 7 * 72 }, (_, i) => Math.sin(i * i) / 2 + 0.5);

const expected = async (): Promise<Float32Array> => {
  const instance = await backends.wasm.open(new Map([['encode', compiled.encode]]), weights);
  const outputs = await instance.run('encode', new Map([['data', images]]));
  instance.dispose();
  return outputs.value.get('code') ?? new Float32Array();
};

const close = (a: Float32Array, b: Float32Array): void => {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => expect(Math.abs(x - float32At(b, i))).toBeLessThan(1e-5));
};

describe('a graph of this project, read back', () => {
  beforeAll(async () => {
    right(await exportProgram(compiled.encode, weights, 'graph-model', join(folder, 'encoder-js')));
    right(await exportProgram(compiled.encode, weights, 'saved-model', join(folder, 'encoder-tf')));
  });

  const check = async (name: string): Promise<void> => {
    const map = right(await graphFeatures(join(folder, name), { shape: [4, 6, 3], range: [0, 1] }));
    expect([map.name, map.size]).toEqual([name, 5]);
    close(await map.apply(images), await expected());
    map.dispose();
  };

  example('as a GraphModel gives its features', () => check('encoder-js'));

  test.skipIf(!hasNative())('as a SavedModel gives its features', () => check('encoder-tf'));

  example('sees images of another range, another size and in grey', async () => {
    const path = join(folder, 'encoder-js');
    const signed = right(await graphFeatures(path, { shape: [4, 6, 3] }));
    close(await signed.apply(images.map((x) => (x + 1) / 2)), await expected());
    signed.dispose();
    const grey = right(await graphFeatures(path, { shape: [2, 3, 1], range: [0, 1] }));
    const colour = right(await graphFeatures(path, { shape: [2, 3, 3], range: [0, 1] }));
    const pixels = images.subarray(0, 18);
    const repeated = Float32Array.from({ length: 54 }, (_, i) => float32At(pixels, Math.floor(i / 3)));
    close(await grey.apply(pixels), await colour.apply(repeated));
    grey.dispose();
    colour.dispose();
  });
});

describe('what cannot be a feature map is one problem', () => {
  const problemOf = async (path: string, shape: readonly number[] = [4, 6, 3]) =>
    elementAt(left(await graphFeatures(path, { shape })), 0);

  example('no graph, examples that are no images, a broken file, a decoder', async () => {
    expect((await problemOf(join(folder, 'nothing'))).found).toBe('no graph');
    expect((await problemOf(join(folder, 'encoder-js'), [72])).found).toBe('examples of shape [72]');
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'model.json'), '{"modelTopology": 3');
    expect((await problemOf(join(folder, 'broken'))).expected).toBe('a graph that can be loaded');
    right(await exportProgram(compiled.decode, weights, 'graph-model', join(folder, 'decoder-js')));
    expect((await problemOf(join(folder, 'decoder-js'))).found).toBe('an input of shape [?,5]');
  });

  example('an ONNX file without its package', async () => {
    const path = join(folder, 'mean.onnx');
    writeFileSync(path, onnxFile(['GlobalAveragePool', 'Flatten'], ['n', 3, 4, 6], ['n', 3]));
    const { found, hint } = elementAt(left(await openOnnx(path, 'a-package-that-nobody-has')), 0);
    expect(found).toBe('no package onnxruntime-node');
    expect(hint).toContain('npm install onnxruntime-node');
  });
});

/** The package is an optional peer, and large: its laws run where it is installed, for instance in a folder that NODE_PATH names. */
const hasOnnx = (): boolean => {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(!hasOnnx())('an ONNX file', () => {
  const open = async (name: string, file: Uint8Array, shape: readonly number[]): Promise<FeatureMap> => {
    writeFileSync(join(folder, name), file);
    return right(await graphFeatures(join(folder, name), { shape, range: [0, 1] }));
  };

  /** Means of the colours of each image. */
  const means = (pixels: number): Float32Array =>
    Float32Array.from({ length: (images.length / 3 / pixels) * 3 }, (_, at) => {
      const [image, colour] = [Math.floor(at / 3), at % 3];
      const values = images.filter((__, i) => Math.floor(i / 3 / pixels) === image && i % 3 === colour);
      return values.reduce((a, b) => a + b, 0) / pixels;
    });

  example('of channels first, in batches of any size or of one that it says', async () => {
    for (const batch of ['n', 2, 1]) {
      const file = onnxFile(['GlobalAveragePool', 'Flatten'], [batch, 3, 4, 6], [batch, 3]);
      const map = await open(`mean-${batch}.onnx`, file, [4, 6, 3]);
      expect(map.name).toBe(`mean-${batch}`);
      close(await map.apply(images), means(24));
      map.dispose();
    }
  });

  example('that is none is one problem', async () => {
    writeFileSync(join(folder, 'text.onnx'), 'no protobuf');
    const { path, expected: wanted } = elementAt(
      left(await graphFeatures(join(folder, 'text.onnx'), { shape: [4, 6, 3] })),
      0,
    );
    expect([path, wanted]).toEqual([join(folder, 'text.onnx'), 'a graph that can be loaded']);
  });
});

describe('Inception', () => {
  example(
    'is 2048 features of images of 299 by 299, or by its name; only its scores are called fid and kid',
    async () => {
      const features = async (name: string, side: number, size: number) => {
        const net = network('encoder', pipe(input(side, side, 1), averagePool(side), flatten, dense(size)));
        const back = network(
          'decoder',
          pipe(input(size), dense(1), dense(side * side), reshape(side, side, 1)),
        );
        const graph = right(
          compile(
            experiment({
              encoder: net,
              decoder: back,
              objective: objective({ a: sqNorm(apply(net, data(side, side, 1))) }),
              optimizer: adam({ rate: 1e-3 }),
              batch: 1,
              steps: 1,
              data: 'images',
            }),
          ),
        );
        const start = new Map([...initialState(graph, 1).arrays].map(([key, array]) => [key, array.data]));
        right(await exportProgram(graph.encode, start, 'graph-model', join(folder, name)));
        const map = right(await graphFeatures(join(folder, name), { shape: [8, 8, 1] }));
        map.dispose();
        return map;
      };
      const inception = await features('inception-v3', 4, 2048);
      expect([scoreName(frechet, inception), scoreName(polynomialMmd, inception)]).toEqual(['fid', 'kid']);
      expect(inception.fewest).toBe(10_000);
      expect(scoreName(frechet, await features('graph', 299, 2048))).toBe('fid');
      expect(scoreName(frechet, await features('resnet', 4, 2048))).toBe('frechet/resnet');
      expect(scoreName(frechet, await features('inception-lite', 4, 8))).toBe('frechet/inception-lite');
    },
  );
});

describe('an image of another size', () => {
  const sizes = fc.integer({ min: 1, max: 7 });
  const all = { first: 0, count: 1, channelsFirst: false };

  test.prop([sizes, sizes, sizes, sizes])(
    'keeps a colour that is the same everywhere',
    (h, w, height, width) => {
      const flat = Float32Array.from({ length: h * w * 3 }, (_, i) => elementAt([0.25, 0.5, 1], i % 3));
      const found = resized(flat, { height: h, width: w, channels: 3 }, { height, width, channels: 3 }, all);
      found.forEach((x, i) => expect(x).toBeCloseTo(elementAt([0.25, 0.5, 1], i % 3), 6));
    },
  );

  test.prop([sizes, sizes, fc.nat(99)])(
    'is itself where the size is the same, channels first or last',
    (h, w, seed) => {
      const size = { height: h, width: w, channels: 3 };
      const image = Float32Array.from({ length: h * w * 3 }, (_, i) => Math.cos(i * i + seed));
      expect(resized(image, size, size, all)).toEqual(image);
      const planes = resized(image, size, size, { ...all, channelsFirst: true });
      planes.forEach((x, i) => expect(x).toBe(image[(i % (h * w)) * 3 + Math.floor(i / (h * w))]));
    },
  );

  example('of twice the size lies a quarter of the way between pixels', () => {
    const line = resized(
      Float32Array.of(0, 1),
      { height: 1, width: 2, channels: 1 },
      { height: 1, width: 4, channels: 1 },
      all,
    );
    expect([...line]).toEqual([0, 0.25, 0.75, 1]);
  });

  example('in grey is the mean of its colours', () => {
    const pixel = { height: 1, width: 1 };
    expect(
      resized(Float32Array.of(0, 0.5, 1), { ...pixel, channels: 3 }, { ...pixel, channels: 1 }, all)[0],
    ).toBe(0.5);
  });
});
