/** The InjFlow-ln step in jax-js on its wasm backend: one jitted function with the decoder's tangent by jvp; argv[2] is the package's folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { growth, layersOf, samePadding, serve, sizeOf } from './common.mjs';

const folder = process.argv[2];
const { version, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const jax = await import(pathToFileURL(join(folder, exports['.'].import)).href);
const { numpy: np, lax, nn } = jax;
await jax.init('wasm');
jax.defaultDevice('wasm');

// Images are [batch, channels, height, width] here and kernels [out, in, height, width]. Every use of an array but the last takes a `.ref`.

const permute = ({ values, shape }, order) => {
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  const to = order.map((axis) => shape[axis]);
  const moved = order.map((axis) => strides[axis]);
  const out = new Float32Array(values.length);
  const index = to.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    out[i] = values[index.reduce((sum, at, axis) => sum + at * moved[axis], 0)];
    for (let axis = to.length - 1; axis >= 0 && ++index[axis] === to[axis]; axis--) index[axis] = 0;
  }
  return { values: out, shape: to };
};

/** [kh,kw,a,b] → [b,a,kh,kw]: (out, in) for a convolution, (in, out) for a transposed one, as `transposeKernel` wants. */
const toPeer = (entry) =>
  entry.shape.length === 4 && entry.role === 'parameter' ? permute(entry, [3, 2, 0, 1]) : entry;
const fromPeer = (values, shape) => {
  if (shape.length !== 4) return values;
  const [kh, kw, a, b] = shape;
  return permute({ values, shape: [b, a, kh, kw] }, [2, 3, 1, 0]).values;
};

const asArray = ({ values, shape }) => np.array(values).reshape(shape);

const activations = {
  // Its own elu overflows in the branch not taken.
  elu: (x) => {
    const below = np.exp(np.minimum(x.ref, 0)).sub(1);
    return np.where(np.greater(x.ref, 0), x, below);
  },
  tanh: np.tanh,
  sigmoid: nn.sigmoid,
};

const alongChannels = (value, x) => (x.shape.length === 4 ? value.reshape([1, value.shape[0], 1, 1]) : value);

/** The network's output and the statistics of its batch-norms; takes x, leaves the parameters. */
const apply = (net, parameters, x) => {
  const moments = {};
  for (const [name, layer] of layersOf(net)) {
    const p = (role) => parameters[`${name}/${role}`].ref;
    switch (layer.tag) {
      case 'dense':
        x = np.matmul(x, p('kernel'));
        break;
      case 'conv': {
        const padding = x.shape.slice(2).map((n) => samePadding(n, layer.kernel, layer.stride));
        x = lax.convGeneralDilated(x, p('kernel'), [layer.stride, layer.stride], padding);
        break;
      }
      case 'convTranspose': {
        const padding = x.shape.slice(2).map((n) => {
          const before = layer.kernel - 1 - samePadding(n * layer.stride, layer.kernel, layer.stride)[0];
          return [before, n * layer.stride + layer.kernel - 2 - (n - 1) * layer.stride - before];
        });
        const turned = np.flip(np.swapaxes(p('kernel'), 0, 1), [2, 3]);
        x = lax.convGeneralDilated(x, turned, [1, 1], padding, { lhsDilation: [layer.stride, layer.stride] });
        break;
      }
      case 'flatten':
        x = np.transpose(x, [0, 2, 3, 1]).reshape([x.shape[0], sizeOf(x.shape.slice(1))]);
        break;
      case 'reshape':
        x = np.transpose(x.reshape([x.shape[0], ...layer.shape]), [0, 3, 1, 2]);
        break;
      case 'batchNorm': {
        const axes = x.shape.length === 4 ? [0, 2, 3] : [0];
        const mean = np.mean(x.ref, axes);
        const centred = x.sub(alongChannels(mean.ref, x));
        const variance = np.mean(np.square(centred.ref), axes);
        const scale = p('gamma').div(np.sqrt(variance.ref.add(layer.epsilon)));
        moments[`${name}/mean`] = mean;
        moments[`${name}/variance`] = variance;
        x = centred.mul(alongChannels(scale, centred)).add(alongChannels(p('beta'), centred));
        break;
      }
      default:
        x = activations[layer.name](x);
    }
    if (layer.bias) x = x.add(alongChannels(p('bias'), x));
  }
  return [x, moments];
};

const build = (workload, arrays) => {
  const { encoder, decoder, batch, eta, prior, rate } = workload;
  const ofRole = (role) =>
    Object.fromEntries(
      [...arrays]
        .filter(([, entry]) => entry.role === role)
        .map(([name, entry]) => [name, asArray(toPeer(entry))]),
    );
  const zerosLike = (tree) =>
    Object.fromEntries(Object.entries(tree).map(([n, a]) => [n, np.zeros(a.shape)]));
  const perRow = (value) => np.sum(np.square(value).reshape([batch, -1]), 1);
  const momentum = Object.fromEntries(
    [...layersOf(encoder), ...layersOf(decoder)].flatMap(([name, layer]) =>
      layer.tag === 'batchNorm'
        ? ['mean', 'variance'].map((role) => [`${name}/${role}`, layer.momentum])
        : [],
    ),
  );

  const losses = (parameters, x, v, mu) => {
    const [h, ofEncoder] = apply(encoder, parameters, x.ref);
    const [y, dy, ofDecoder] = jax.jvp((z) => apply(decoder, parameters, z), [h.ref], [v.ref], {
      hasAux: true,
    });
    jax.tree.dispose(parameters);
    const square = perRow(dy);
    const length = perRow(v);
    const bounded = np.maximum(square.ref, length.ref.mul(eta ** 2));
    const excess = np.sqrt(square).div(np.sqrt(length)).sub(eta);
    const terms = [
      np.mean(perRow(h)).mul(prior),
      np.mean(perRow(x.sub(y))).mul(mu.ref),
      np.mean(np.log(bounded)).mul(sizeOf(decoder.input) / 2),
      np.mean(np.square(np.minimum(excess, 0))).mul(mu),
    ];
    const loss = terms.map((term) => term.ref).reduce((a, b) => a.add(b));
    return [loss, { terms, moments: { ...ofEncoder, ...ofDecoder } }];
  };
  const differentiated = jax.valueAndGrad(losses, { hasAux: true });

  const update = jax.jit((state, x, v, mu, first, second) => {
    const [[loss, { terms, moments }], gradients] = differentiated(jax.tree.ref(state.parameters), x, v, mu);
    const next = { parameters: {}, mean: {}, square: {}, running: {} };
    for (const [name, g] of Object.entries(gradients)) {
      const mean = state.mean[name].mul(0.9).add(g.ref.mul(0.1));
      const square = state.square[name].mul(0.999).add(np.square(g).mul(0.001));
      const root = np.sqrt(square.ref.mul(second.ref)).add(1e-8);
      next.parameters[name] = state.parameters[name].sub(mean.ref.mul(first.ref).div(root));
      next.mean[name] = mean;
      next.square[name] = square;
    }
    first.dispose();
    second.dispose();
    for (const [name, old] of Object.entries(state.running)) {
      next.running[name] = old.mul(momentum[name]).add(moments[name].mul(1 - momentum[name]));
    }
    return [next, np.stack([loss, ...terms])];
  });

  const parameters = ofRole('parameter');
  let state = {
    parameters,
    mean: zerosLike(parameters),
    square: zerosLike(parameters),
    running: ofRole('running'),
  };
  const scalar = (value) => np.array(Float32Array.of(value)).reshape([]);
  const toImage = ({ values, shape }) =>
    shape.length === 4 ? { values, shape: [shape[0], shape[3], shape[1], shape[2]] } : { values, shape };
  if (arrays.get('data').shape.length === 4 && arrays.get('data').shape[3] !== 1)
    throw new Error('one channel only');
  const step = async (i) => {
    const count = i + 1;
    const [first, second] = [rate / (1 - 0.9 ** count), 1 / (1 - 0.999 ** count)];
    const [next, values] = update(
      state,
      asArray(toImage(arrays.get('data'))),
      asArray(arrays.get('v')),
      scalar(growth(workload, i)),
      scalar(first),
      scalar(second),
    );
    state = next;
    return [...(await values.data())];
  };
  const firstMoments = async () => {
    const entries = Object.entries(state.mean).map(async ([name, m]) => {
      const values = await m.ref.data();
      return [name, fromPeer(values, arrays.get(name).shape)];
    });
    return new Map(await Promise.all(entries));
  };
  return { step, firstMoments };
};

await serve({ 'jax-js': version }, build);
