/** Philox4x32-10 for many streams at once, by WebAssembly's 64-bit products, which JavaScript does not have: the words of `dsl/random.ts`, five times as fast. */
import { type Key, multipliers, rounds, weyl } from '../../dsl/random.js';
import { entryOf } from '../../dsl/lookup.js';
import { assembler, encodeModule } from './encode.js';
import { engine, type Exports, type SharedMemory } from './engine.js';

/** For every example from `first` on and every probe from 0 on, the stream (probe, example, step), of so many words. */
export type Streams = {
  readonly key: Key;
  readonly step: number;
  readonly first: number;
  readonly examples: number;
  readonly probes: number;
  readonly words: number;
};

/** Sees one example's words: those of probe p from `at + p·stride` on, until it returns. */
type SeeExample = (words: Uint32Array, at: number, stride: number, example: number) => void;

/** One function, which writes the blocks of all streams one after another. */
const moduleBytes = (): Uint8Array => {
  const [at, examples, probes, blocks, key0, key1, example, step] = [0, 1, 2, 3, 4, 5, 6, 7];
  const parameters = 8;
  const asm = assembler(parameters);
  const [probe, probesLeft, block, blocksLeft] = [
    asm.local('i32'),
    asm.local('i32'),
    asm.local('i32'),
    asm.local('i32'),
  ];
  const [c0, c1, c2, c3] = [asm.local('i32'), asm.local('i32'), asm.local('i32'), asm.local('i32')];
  const [even, odd] = [asm.local('i64'), asm.local('i64')];
  const product = (of: number, by: number, into: number): void => {
    asm.get(of);
    asm.widenI32();
    asm.i64(by);
    asm.mulI64();
    asm.set(into);
  };
  /** upper(product) xor word xor (key + round·increment), and the product's lower word. */
  const mixed = (of: number, word: number, key: number, increment: number, into: number): void => {
    asm.get(of);
    asm.upperI64();
    asm.get(word);
    asm.xorI32();
    asm.get(key);
    asm.i32(increment);
    asm.addI32();
    asm.xorI32();
    asm.set(into);
    asm.get(of);
    asm.lowerI64();
    asm.set(word);
  };
  const moved = (from: number, to: number): void => {
    asm.get(from);
    asm.set(to);
  };
  const increased = (local: number, by: number): void => {
    asm.get(local);
    asm.i32(by);
    asm.addI32();
    asm.set(local);
  };
  const cleared = (local: number): void => {
    asm.i32(0);
    asm.set(local);
  };
  const oneBlock = (): void => {
    moved(block, c0);
    moved(probe, c1);
    moved(example, c2);
    moved(step, c3);
    for (let round = 0; round < rounds; round++) {
      product(c0, multipliers[0], even);
      product(c2, multipliers[1], odd);
      mixed(odd, c1, key0, Math.imul(weyl[0], round), c0);
      mixed(even, c3, key1, Math.imul(weyl[1], round), c2);
    }
    [c0, c1, c2, c3].forEach((word, i) => {
      asm.get(at);
      asm.get(word);
      asm.storeI32(4 * i);
    });
    increased(at, 16);
    increased(block, 1);
  };
  asm.repeatFor(examples, () => {
    cleared(probe);
    moved(probes, probesLeft);
    asm.repeatFor(probesLeft, () => {
      cleared(block);
      moved(blocks, blocksLeft);
      asm.repeatFor(blocksLeft, oneBlock);
      increased(probe, 1);
    });
    increased(example, 1);
  });
  return encodeModule([{ name: 'fill', parameters, code: asm.finish() }]);
};

const BLOCK = 16;
const PAGE = 65_536;

const created = (): { readonly memory: SharedMemory; readonly fill: Exports[string] } => {
  const memory = new engine.Memory({ initial: 1 });
  const instance = new engine.Instance(new engine.Module(moduleBytes()), { env: { memory } });
  return { memory, fill: entryOf(instance.exports, 'fill') };
};

let instance: ReturnType<typeof created> | undefined;

/** As many examples at a time as one page of memory has room for, one at least. */
export const eachExample = (
  { key, step, first, examples, probes, words }: Streams,
  see: SeeExample,
): void => {
  if (examples < 1 || probes < 1 || words < 1) return;
  instance ??= created();
  const { memory, fill } = instance;
  const blocks = Math.ceil(words / 4);
  const bytes = probes * blocks * BLOCK;
  const atOnce = Math.max(1, Math.floor(PAGE / bytes));
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  const filled = new Uint32Array(memory.buffer);
  for (let done = 0; done < examples; done += atOnce) {
    const count = Math.min(atOnce, examples - done);
    fill(0, count, probes, blocks, key[0], key[1], first + done, step);
    for (let i = 0; i < count; i++) see(filled, i * probes * blocks * 4, blocks * 4, done + i);
  }
};
