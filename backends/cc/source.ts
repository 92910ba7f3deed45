/** A program as C functions: names and numbers only, nothing of a spec's text. */
import { elementAt, getFrom } from '../../dsl/lookup.js';
import { keyOf } from '../../compiler/ir/key.js';
import { clearedOutputs, directStores, startNest, startOf } from '../../compiler/loops/dependence.js';
import { inLines } from '../../compiler/loops/gaps.js';
import { layoutOf } from '../../compiler/loops/layout.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import { at } from '../../compiler/loops/nest.js';
import type { Plan, Step } from '../../compiler/loops/plan.js';
import { inputCount, sharedAxis } from '../../compiler/loops/sharing.js';
import type { Target } from '../../compiler/loops/target.js';
import { writeContraction } from './contraction.js';
import { writeNest } from './nest.js';
import { routineCall, routineSource } from './routines.js';
import { nestsOf } from './schedule.js';
import { literal, vectorSource } from './vectors.js';
import { createWriter } from './writer.js';

export type Source = {
  /**
   * Files of one library, to be compiled side by side: first the one with `void immersion_program(float *const *s)`, where `s` has the inputs,
   * the outputs and then scratch memory; then nests.
   */
  readonly files: readonly string[];
  /** Numbers of scratch memory. */
  readonly scratch: number;
  /** Of each step of the plan, whether threads share it. */
  readonly sharing: readonly boolean[];
};

export type SourceOptions = {
  /** `s` has one place more, for the milliseconds of each step of the plan. The nests are the same. */
  readonly timed?: boolean;
};

const clock = `#include <time.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}
`;

/** What of the scratch memory holds a value, for builds that look after it: a read of anything else ends them. */
const liveness = `#ifdef __SANITIZE_ADDRESS__
void __asan_poison_memory_region(void const volatile *, unsigned long);
void __asan_unpoison_memory_region(void const volatile *, unsigned long);
#define live(p, n) __asan_unpoison_memory_region(p, 4 * (n))
#define dead(p, n) __asan_poison_memory_region(p, 4 * (n))
#else
#define live(p, n)
#define dead(p, n)
#endif
`;

/** A kernel as C functions, one a nest, and how they are called. */
type Kernel = {
  /** Outputs that begin with zeros. */
  readonly clears: readonly { readonly output: number; readonly size: number }[];
  readonly nests: readonly { readonly name: string; readonly extent: number; readonly shared: boolean }[];
};

/** Characters of a file from which on another is begun: so many take a compiler about a second. */
const longFile = 50_000;

/** Functions in files of about one length each. */
const inFiles = (functions: readonly string[]): readonly string[] => {
  const total = functions.reduce((sum, { length }) => sum + length, 0);
  const most = total / Math.max(1, Math.round(total / longFile));
  const files: string[] = [];
  let length = 0;
  for (const one of functions) {
    const file = Math.floor(length / most);
    files[file] = `${files[file] ?? ''}${one}\n`;
    length += one.length;
  }
  return files.filter((file) => file !== undefined);
};

export const sourceOf = (plan: Plan, target: Target, { timed = false }: SourceOptions = {}): Source => {
  const functions: string[] = [];
  const nests: string[] = [];
  const statics: string[] = [];
  const starts: string[] = [];
  const kernels = new Map<string, Kernel>();
  const constants = new Map<string, string>();
  let bodies = 0;
  const slots = plan.inputs.length + plan.outputs.length;

  const kernelOf = (loop: LoopKernel): Kernel => {
    const key = keyOf(loop);
    const known = kernels.get(key);
    if (known !== undefined) return known;
    const planned = nestsOf(loop, target);
    const direct = directStores(loop, planned);
    const cleared = clearedOutputs(loop, planned, direct);
    const number = kernels.size;
    const started = cleared.flatMap((is, output) =>
      is && startOf(loop, output) !== 0 ? [startNest(loop, output)] : [],
    );
    const made: Kernel = {
      clears: cleared.flatMap((is, output) =>
        is && startOf(loop, output) === 0 ? [{ output, size: elementAt(loop.outputs, output) }] : [],
      ),
      nests: [...started, ...planned].map((nest, i) => {
        const name = `k${number}_${i}`;
        const axis = sharedAxis(nest);
        const writer = createWriter();
        const head = `hidden void ${name}(float *const *a, long lo, long hi)`;
        statics.push(`${head};`);
        writer.block(head, () => {
          const inputs = inputCount(loop);
          for (let k = 0; k < inputs; k++) writer.line(`const float *restrict in${k} = a[${k}];`);
          loop.outputs.forEach((_, k) => writer.line(`float *restrict out${k} = a[${inputs + k}];`));
          if (nest.mode === 'contraction') writeContraction(writer, nest, direct[0] === true, axis);
          else writeNest(writer, nest, i < started.length ? [true] : direct, target, axis);
        });
        nests.push(writer.text());
        return { name, extent: at(nest.extents, axis ?? 0), shared: axis !== undefined };
      }),
    };
    kernels.set(key, made);
    return made;
  };

  const constantOf = (values: readonly number[]): string => {
    const key = keyOf(values);
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = `c${constants.size}`;
    constants.set(key, name);
    const [first = 0] = values;
    if (values.length > 16 && values.every((value) => Object.is(value, first))) {
      statics.push(`static float ${name}[${values.length}];`);
      if (!Object.is(first, 0))
        starts.push(`for (long k = 0; k < ${values.length}; k++) ${name}[k] = ${literal(first)};`);
    } else
      statics.push(
        `static float ${name}[${Math.max(1, values.length)}] = { ${values.map(literal).join(', ')} };`,
      );
    return name;
  };
  const tableOf = (values: readonly number[]): string => {
    const key = `table ${values.join()}`;
    const name = constants.get(key) ?? `c${constants.size}`;
    if (!constants.has(key))
      statics.push(`static const int ${name}[${values.length}] = { ${values.join(', ')} };`);
    constants.set(key, name);
    return name;
  };

  /** A plan as a function of its inputs, outputs and scratch; answers with its name and the scratch that it needs. */
  const functionOf = (own: Plan): { readonly name: string; readonly scratch: number } => {
    const name = `p${bodies++}`;
    const inside = new Map(
      own.steps.flatMap((step, i) => (step.tag === 'repeat' ? [[i, functionOf(step.body)] as const] : [])),
    );
    const sizeOf = (buffer: number): number => elementAt(own.buffers, buffer);
    const places = new Map<number, string>();
    own.inputs.forEach(({ operand }, i) => places.set(operand.buffer, `s[${i}]`));
    for (const { operand, values } of own.constants) places.set(operand.buffer, constantOf(values));
    const copies: string[] = [];
    own.outputs.forEach(({ operand: { buffer } }, i) => {
      const place = `s[${own.inputs.length + i}]`;
      const known = places.get(buffer);
      if (known === undefined) places.set(buffer, place);
      else copies.push(`copy(${place}, ${known}, ${sizeOf(buffer)});`);
    });
    const outputSizes = ({ body }: Extract<Step, { tag: 'repeat' }>): readonly number[] =>
      body.outputs.map(({ operand }) => inLines(elementAt(body.buffers, operand.buffer)));
    const extra = (i: number): number => {
      const step = own.steps[i];
      if (step?.tag !== 'repeat') return 0;
      return outputSizes(step).reduce((sum, n) => sum + n, getFrom(inside, i).scratch);
    };
    const layout = layoutOf(own, new Set(places.keys()), extra);
    const place = (buffer: number): string => {
      return places.get(buffer) ?? `m + ${getFrom(layout.offsets, buffer)}`;
    };
    const writer = createWriter();
    const marked = (what: 'live' | 'dead', buffers: readonly number[]): void => {
      for (const buffer of buffers)
        if (!places.has(buffer)) writer.line(`${what}(${place(buffer)}, ${sizeOf(buffer)});`);
    };
    const write = (step: Step, i: number): void => {
      switch (step.tag) {
        case 'kernel':
          throw new Error(`${step.kernel} is no loop`);
        case 'routine': {
          const inputs = step.inputs.map((buffer) => ({ place: place(buffer), size: sizeOf(buffer) }));
          return writer.line(routineCall(step.routine, inputs, place(step.outputs[0]), tableOf));
        }
        case 'loop': {
          const { clears, nests } = kernelOf(step.loop);
          return writer.block('', () => {
            const all = [...step.inputs, ...step.outputs].map(place);
            writer.line(`float *const a[] = { ${all.join(', ')} };`);
            for (const { output, size } of clears)
              writer.line(`__builtin_memset(${place(elementAt(step.outputs, output))}, 0, ${4 * size});`);
            for (const nest of nests)
              writer.line(`${nest.shared ? 'share' : 'alone'}(${nest.name}, a, ${nest.extent});`);
          });
        }
        case 'repeat': {
          const body = getFrom(inside, i);
          const start = getFrom(layout.beside, i);
          const sizes = outputSizes(step);
          const made = sizes.map((_, k) => `m + ${start + sizes.slice(0, k).reduce((sum, n) => sum + n, 0)}`);
          const end = sizes.reduce((sum, n) => sum + n, start);
          writer.line(`live(m + ${start}, ${end - start});`);
          const carried = step.outputs.map(place);
          const kept = step.inputs.slice(carried.length).map(place);
          carried.forEach((to, k) =>
            writer.line(
              `copy(${to}, ${place(elementAt(step.inputs, k))}, ${sizeOf(elementAt(step.outputs, k))});`,
            ),
          );
          return writer.block(`for (long round = 0; round < ${step.times}; round++)`, () => {
            writer.line(`float *const r[] = { ${[...carried, ...kept, ...made].join(', ')} };`);
            writer.line(`${body.name}(r, m + ${end});`);
            carried.forEach((to, k) =>
              writer.line(`copy(${to}, ${elementAt(made, k)}, ${sizeOf(elementAt(step.outputs, k))});`),
            );
            writer.line(`if (*(${elementAt(made, carried.length)}) == 0) break;`);
          });
        }
      }
    };
    writer.block(`static void ${name}(float *const *s, float *m)`, () => {
      writer.line(`dead(m, ${layout.size});`);
      own.steps.forEach((step, i) => {
        marked('live', step.tag === 'kernel' ? [] : step.outputs);
        const isTimed = timed && own === plan;
        if (isTimed) writer.line(`const double t${i} = now();`);
        write(step, i);
        if (isTimed) writer.line(`s[${slots + 1}][${i}] = (float)(now() - t${i});`);
        marked('dead', own.release[i] ?? []);
      });
      copies.forEach(writer.line);
      writer.line(`live(m, ${layout.size});`);
    });
    functions.push(writer.text());
    return { name, scratch: layout.size };
  };

  const { name, scratch } = functionOf(plan);
  const prelude = `#define hidden __attribute__((visibility("hidden")))\n${vectorSource(target.lanes)}`;
  const main = [
    ...(timed ? [clock] : []),
    prelude,
    routineSource,
    `typedef void (*nest)(float *const *a, long lo, long hi);
${liveness}void (*immersion_share)(nest run, float *const *a, long extent);
static inline void alone(nest run, float *const *a, long extent) { run(a, 0, extent); }
static inline void share(nest run, float *const *a, long extent) {
  if (immersion_share) immersion_share(run, a, extent);
  else run(a, 0, extent);
}
static inline void copy(float *to, const float *from, long n) { __builtin_memcpy(to, from, 4 * n); }
`,
    ...statics,
    ...functions,
    `void immersion_start(void) {\n${starts.map((one) => `  ${one}\n`).join('')}}`,
    `void immersion_program(float *const *s) { ${name}(s, s[${slots}]); }\n`,
  ].join('\n');
  return {
    files: [main, ...inFiles(nests).map((text) => `${prelude}\n${text}`)],
    scratch: Math.max(1, scratch),
    sharing: plan.steps.map(
      (step) => step.tag === 'loop' && kernelOf(step.loop).nests.some((nest) => nest.shared),
    ),
  };
};
