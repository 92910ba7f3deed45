/**
 * The InjFlow-ln step on tfjs-node's eager tape. The decoder's tangent is written by hand from operations whose own gradients
 * tfjs has right, since it has no forward mode and its second derivatives are not to be trusted.
 */
import { createRequire } from 'node:module';
import util from 'node:util';
import { growth, layersOf, serve, sizeOf } from './common.mjs';

// tfjs-node calls two functions that Node 23 removed.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-node-gpu');
// Its own greeting would end up among our lines.
console.log = console.error;

const activations = {
  elu: { value: tf.elu, slope: (x) => tf.exp(tf.minimum(x, 0)) },
  tanh: { value: tf.tanh, slope: (_, y) => tf.sub(1, tf.square(y)) },
  sigmoid: { value: tf.sigmoid, slope: (_, y) => tf.mul(y, tf.sub(1, y)) },
};

const build = (workload, arrays) => {
  const variables = new Map();
  const running = new Map();
  for (const [name, { role, shape, values }] of arrays) {
    const make = () => tf.variable(tf.tensor(values, shape), role === 'parameter', name);
    if (role === 'parameter') variables.set(name, make());
    if (role === 'running') running.set(name, make());
  }
  const { encoder, decoder, batch, eta, prior, rate } = workload;
  const parameter = (name) => variables.get(name);

  const linear = (layer, name, x) => {
    switch (layer.tag) {
      case 'dense':
        return tf.matMul(x, parameter(`${name}/kernel`));
      case 'conv':
        return tf.conv2d(x, parameter(`${name}/kernel`), layer.stride, 'same');
      case 'convTranspose': {
        const size = [batch, x.shape[1] * layer.stride, x.shape[2] * layer.stride, layer.filters];
        return tf.conv2dTranspose(x, parameter(`${name}/kernel`), size, layer.stride, 'same');
      }
      case 'flatten':
        return tf.reshape(x, [batch, -1]);
      case 'reshape':
        return tf.reshape(x, [batch, ...layer.shape]);
      default:
        return undefined;
    }
  };

  const normalise = (layer, name, x, moments) => {
    const axes = x.shape.slice(0, -1).map((_, i) => i);
    const mean = tf.mean(x, axes);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), axes);
    moments.push([`${name}/mean`, layer.momentum, mean], [`${name}/variance`, layer.momentum, variance]);
    const scale = tf.rsqrt(tf.add(variance, layer.epsilon));
    const hat = tf.mul(centred, scale);
    const gamma = parameter(`${name}/gamma`);
    const y = tf.add(tf.mul(hat, gamma), parameter(`${name}/beta`));
    const tangent = (dx) => {
      const along = tf.mul(hat, tf.mean(tf.mul(hat, dx), axes));
      return tf.mul(tf.mul(gamma, scale), tf.sub(tf.sub(dx, tf.mean(dx, axes)), along));
    };
    return [y, tangent];
  };

  /** The network's output and, where a tangent goes in, its tangent. */
  const apply = (net, x, dx, moments) => {
    for (const [name, layer] of layersOf(net)) {
      let y = linear(layer, name, x);
      let tangent = (d) => linear(layer, name, d);
      if (y !== undefined) {
        y = layer.bias ? tf.add(y, parameter(`${name}/bias`)) : y;
      } else if (layer.tag === 'batchNorm') {
        [y, tangent] = normalise(layer, name, x, moments);
      } else {
        const { value, slope } = activations[layer.name];
        const [before, after] = [x, value(x)];
        y = after;
        tangent = (d) => tf.mul(d, slope(before, after));
      }
      dx = dx === undefined ? undefined : tangent(dx);
      x = y;
    }
    return [x, dx];
  };

  const optimizer = tf.train.adam(rate, 0.9, 0.999, 1e-8);
  const list = [...variables.values()];
  const [data, v] = ['data', 'v'].map((name) => arrays.get(name));

  const step = (i) => {
    const results = tf.tidy(() => {
      const x = tf.tensor(data.values, data.shape);
      const direction = tf.tensor(v.values, v.shape);
      const mu = growth(workload, i);
      let kept;
      const moments = [];
      const loss = optimizer.minimize(
        () => {
          const [h] = apply(encoder, x, undefined, moments);
          const [y, dy] = apply(decoder, h, direction, moments);
          const own = x.shape.slice(1).map((_, axis) => axis + 1);
          const square = tf.sum(tf.square(dy), own);
          const length = tf.sum(tf.square(direction), 1);
          const excess = tf.sub(tf.div(tf.sqrt(square), tf.sqrt(length)), eta);
          kept = [
            tf.mean(tf.mul(prior, tf.sum(tf.square(h), 1))),
            tf.mul(mu, tf.mean(tf.sum(tf.square(tf.sub(x, y)), own))),
            tf.mul(sizeOf(decoder.input) / 2, tf.mean(tf.log(tf.maximum(square, tf.mul(eta ** 2, length))))),
            tf.mul(mu, tf.mean(tf.square(tf.minimum(excess, 0)))),
          ];
          // Kept alive beyond the optimizer's own tidy.
          kept.forEach((term) => tf.keep(term));
          moments.forEach(([, , value]) => tf.keep(value));
          return tf.addN(kept);
        },
        true,
        list,
      );
      for (const [name, momentum, value] of moments) {
        const old = running.get(name);
        old.assign(tf.add(tf.mul(old, momentum), tf.mul(value, 1 - momentum)));
        value.dispose();
      }
      const all = tf.stack([loss, ...kept]);
      kept.forEach((term) => term.dispose());
      return all;
    });
    const values = [...results.dataSync()];
    results.dispose();
    return values;
  };

  const firstMoments = () =>
    new Map(
      [...variables.keys()].map((name, i) => [name, optimizer.accumulatedFirstMoment[i].variable.dataSync()]),
    );
  return { step, firstMoments };
};

await serve(
  {
    'tfjs-node': tf.version['tfjs-node'] ?? tf.version.tfjs,
    libtensorflow: tf.node?.TF_Version ?? tf.backend().binding?.TF_Version,
  },
  build,
);
