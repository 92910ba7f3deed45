/** A GPU device: the one of a page, or Dawn's in Node, with the memory that its adapter has. */
import type * as Dawn from 'webgpu';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';

export type Device = {
  readonly device: GPUDevice;
  /** What the adapter says of itself. */
  readonly description: string;
  /** Whether a processor computes in its place. */
  readonly software: boolean;
  /** Bytes that one buffer may have. */
  readonly most: number;
  /** Bytes of memory that a workgroup may have. */
  readonly workgroup: number;
};

type Checked<A> = Either<readonly Problem[], A>;

const hint = 'update the driver of the graphics card, or use --backend wasm';

const packageOfNode = 'webgpu';

/** Whoever drops it drops all devices with it. */
let ofNode: GPU | undefined;

const gpuOfNode = async (): Promise<GPU> => {
  if (ofNode === undefined) {
    // Bundlers of pages leave alone what is named by a variable.
    const { create, globals } = (await import(/* @vite-ignore */ packageOfNode)) as typeof Dawn;
    for (const [name, value] of Object.entries(globals))
      if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
    // Kernels are ours, and laws look at what lies around their arrays: no access is checked again.
    ofNode = create(['enable-dawn-features=disable_robustness']);
  }
  return ofNode;
};

/** Whether Vulkan's loader is there: Dawn says in lines of its own that it is not, so it is asked for first. */
const hasVulkan = (): boolean => {
  if (process.platform !== 'linux') return true;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
    return true;
  } catch (error) {
    // What is found is no addon of Node's.
    return !/cannot open|no such file/i.test(errorText(error));
  }
};

const wordsOf = ({ description, device, architecture, vendor }: GPUAdapterInfo): string =>
  [description, device, [vendor, architecture].filter(Boolean).join(' ')].find((text) => text !== '') ??
  'a GPU';

/** Problems where there is no GPU, or the package `webgpu` is missing. */
export const requestDevice = async (): Promise<Checked<Device>> => {
  const none = (found: string, expected: string): Checked<Device> =>
    left([problem('webgpu', found, expected, hint)]);
  const ofPage = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
  if (ofPage === undefined && !hasVulkan())
    return left([
      problem(
        'webgpu',
        'no libvulkan.so.1',
        'the loader of Vulkan, and a GPU with a driver for it',
        'install libvulkan1 and the driver of the graphics card, or use --backend wasm',
      ),
    ]);
  let gpu: GPU;
  try {
    gpu = ofPage ?? (await gpuOfNode());
  } catch (error) {
    return left([
      problem(
        'webgpu',
        errorText(error),
        'the package webgpu',
        'run `npm install webgpu`, or use --backend wasm',
      ),
    ]);
  }
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) return none('no adapter', 'a GPU with a Vulkan, Metal or Direct3D driver');
    const { limits, info } = adapter;
    const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    const device = await adapter.requestDevice({
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      },
    });
    const description = wordsOf(info);
    const software =
      info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(description);
    const workgroup = limits.maxComputeWorkgroupStorageSize;
    return right({ device, description, software, most, workgroup });
  } catch (error) {
    return none(errorText(error), 'a GPU device');
  }
};
