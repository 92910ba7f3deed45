/** Pipelines by their source, each made once, and calls of them encoded with the places of their arrays. */
import type { Heap } from './heap.js';
import type { Call, Place } from './kernel.js';
import { moduleOf, type Part, placesOfKernel } from './wgsl.js';

/** Bytes at which a block of places may begin. */
const alignment = 256;
const blockBytes = 4 * placesOfKernel;

/** Workgroups in one dimension. */
const mostGroups = 65_535;

export type Calls = {
  /** Encodes all; `startOf` gives where an array begins in the heap. */
  readonly run: (startOf: (place: Place) => number) => void;
};

export type Pipelines = {
  /** Compiles what is not yet, side by side; the first error's line where one does not. */
  readonly compile: (lots: readonly Lot[]) => Promise<string | undefined>;
  readonly prepared: (lots: readonly Lot[]) => Calls;
};

/** Calls that run at once. */
type Lot = readonly Call[];

const placesOf = ({ places, unless }: Call): readonly Place[] =>
  unless === undefined ? places : [...places, unless];

const sourceOf = (lot: Lot): string => {
  let base = 0;
  return moduleOf(
    lot.map((call): Part => {
      const { kernel, places, unless } = call;
      const own = base;
      base += placesOf(call).length;
      return {
        code: kernel.code,
        groups: kernel.groups,
        base: own,
        unless: unless === undefined ? undefined : places.length,
      };
    }),
  );
};

export const createPipelines = (device: GPUDevice, heap: Heap): Pipelines => {
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } },
      { binding: 1, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
    ],
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const made = new Map<string, GPUComputePipeline>();
  const describe = (code: string): GPUComputePipelineDescriptor => ({
    layout: pipelineLayout,
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  let uniforms: GPUBuffer | undefined;
  let group: GPUBindGroup | undefined;
  let bound: GPUBuffer | undefined;

  /** The bind group of the heap as it is now, and of so many bytes of places. */
  const groupFor = (bytes: number): { readonly group: GPUBindGroup; readonly uniforms: GPUBuffer } => {
    const size = bytes + blockBytes;
    if (uniforms === undefined || uniforms.size < size) {
      uniforms?.destroy();
      uniforms = device.createBuffer({
        size: Math.max(2 * size, 1 << 16),
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      group = undefined;
    }
    if (group === undefined || bound !== heap.buffer()) {
      bound = heap.buffer();
      group = device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: bound } },
          { binding: 1, resource: { buffer: uniforms, size: blockBytes } },
        ],
      });
    }
    return { group, uniforms };
  };

  return {
    compile: async (lots) => {
      const missing = new Set(lots.map(sourceOf).filter((source) => !made.has(source)));
      const waiting = [...missing].map(async (source) => {
        try {
          made.set(source, await device.createComputePipelineAsync(describe(source)));
          return undefined;
        } catch (error) {
          return (error instanceof Error ? error.message : String(error)).split('\n')[0];
        }
      });
      return (await Promise.all(waiting)).find((why) => why !== undefined);
    },
    prepared: (lots) => {
      const steps = lots.map((lot) => {
        const source = sourceOf(lot);
        const pipeline = made.get(source) ?? device.createComputePipeline(describe(source));
        made.set(source, pipeline);
        const groups = lot.reduce((sum, { kernel }) => sum + kernel.groups, 0);
        return {
          pipeline,
          places: lot.flatMap(placesOf),
          x: Math.min(groups, mostGroups),
          y: Math.ceil(groups / mostGroups),
        };
      });
      let end = 0;
      const offsets = steps.map(({ places }) => {
        const own = end;
        end += Math.ceil((4 * places.length) / alignment) * alignment;
        return own;
      });
      const starts = Uint32Array.from(offsets);
      const blocks = new Uint32Array(end / 4);
      return {
        run: (startOf) => {
          if (steps.length === 0) return;
          steps.forEach(({ places }, i) => {
            const own = (offsets[i] ?? 0) / 4;
            for (const [k, place] of places.entries()) blocks[own + k] = startOf(place);
          });
          // What is gathered so far reads the places that are there now.
          heap.submit();
          const all = groupFor(end);
          device.queue.writeBuffer(all.uniforms, 0, blocks);
          const pass = heap.encoder().beginComputePass();
          let last: GPUComputePipeline | undefined;
          steps.forEach(({ pipeline, x, y }, i) => {
            if (pipeline !== last) pass.setPipeline(pipeline);
            last = pipeline;
            pass.setBindGroup(0, all.group, starts, i, 1);
            pass.dispatchWorkgroups(x, y);
          });
          pass.end();
        },
      };
    },
  };
};
