/** A minimal WebAssembly assembler: the binary format of a module that imports one memory and exports its functions (WebAssembly Core 2.0, section 5). */

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';

const typeCode: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

export const unsigned = (value: number): readonly number[] => {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
};

/** Of a 32-bit number. */
export const signed = (value: number): readonly number[] => {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
  return bytes;
};

export const floatBytes = (value: number): readonly number[] => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [...bytes];
};

export const intBytes = (value: number): readonly number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 24) & 0xff,
];

/** Vector instructions by their names in the specification, with the number that follows the 0xfd prefix. */
export const vector = {
  'v128.load': 0x00,
  'v128.load32_splat': 0x09,
  'v128.store': 0x0b,
  'v128.const': 0x0c,
  'i8x16.shuffle': 0x0d,
  'f32x4.splat': 0x13,
  'i32x4.extract_lane': 0x1b,
  'f32x4.extract_lane': 0x1f,
  'f32x4.eq': 0x41,
  'f32x4.ne': 0x42,
  'f32x4.lt': 0x43,
  'f32x4.gt': 0x44,
  'v128.and': 0x4e,
  'v128.andnot': 0x4f,
  'v128.or': 0x50,
  'v128.xor': 0x51,
  'v128.bitselect': 0x52,
  'v128.load32_lane': 0x56,
  'v128.store32_lane': 0x5a,
  'v128.store64_lane': 0x5b,
  'v128.load32_zero': 0x5c,
  'v128.load64_zero': 0x5d,
  'i32x4.shl': 0xab,
  'i32x4.shr_s': 0xac,
  'i32x4.shr_u': 0xad,
  'i32x4.add': 0xae,
  'i32x4.sub': 0xb1,
  'i32x4.mul': 0xb5,
  'f32x4.abs': 0xe0,
  'f32x4.neg': 0xe1,
  'f32x4.sqrt': 0xe3,
  'f32x4.add': 0xe4,
  'f32x4.sub': 0xe5,
  'f32x4.mul': 0xe6,
  'f32x4.div': 0xe7,
  'f32x4.min': 0xe8,
  'f32x4.max': 0xe9,
  'f32x4.pmin': 0xea,
  'f32x4.pmax': 0xeb,
  'i32x4.trunc_sat_f32x4_s': 0xf8,
  'f32x4.convert_i32x4_s': 0xfa,
  'f32x4.relaxed_madd': 0x105,
} as const;

export type VectorOp = keyof typeof vector;

/** A function under construction: code is appended in order; locals are numbered after the parameters. */
export type Assembler = {
  readonly local: (type: ValueType) => number;
  /** Locals made inside are free for reuse afterwards. */
  readonly scope: (inside: () => void) => void;
  readonly get: (local: number) => void;
  readonly set: (local: number) => void;
  readonly i32: (value: number) => void;
  readonly f32: (value: number) => void;
  readonly addI32: () => void;
  readonly subI32: () => void;
  readonly mulI32: () => void;
  readonly xorI32: () => void;
  readonly storeI32: (offset: number) => void;
  /** A whole number of at most 32 bits, without a sign. */
  readonly i64: (value: number) => void;
  readonly mulI64: () => void;
  /** Of 32 bits without a sign to 64. */
  readonly widenI32: () => void;
  /** The lower and the upper 32 bits. */
  readonly lowerI64: () => void;
  readonly upperI64: () => void;
  /** The number at the address on the stack plus `offset`. */
  readonly loadI32: (offset: number) => void;
  /** Calls a function by its number in the module, imports first. */
  readonly call: (index: number) => void;
  readonly addF32: () => void;
  readonly loadF32: (offset: number) => void;
  readonly storeF32: (offset: number) => void;
  /** Zeroes bytes; takes address, 0 and length from the stack. */
  readonly fill: () => void;
  readonly vector: (op: VectorOp, ...immediates: readonly number[]) => void;
  /** A vector load or store at the address on the stack plus `offset`. */
  readonly access: (op: VectorOp, offset: number, lane?: number) => void;
  readonly constant: (bytes: readonly number[]) => void;
  /** Runs `body` `times` times; nothing is emitted around it when that is once. */
  readonly repeat: (times: number, body: () => void) => void;
  /** Runs `body` as often as a local says, once at least, and counts that down. */
  readonly repeatFor: (count: number, body: () => void) => void;
  readonly finish: () => readonly number[];
};

export const assembler = (parameters: number): Assembler => {
  const code: number[] = [];
  const types: ValueType[] = [];
  const free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], v128: [] };
  const scopes: { readonly type: ValueType; readonly index: number }[][] = [];
  const emit = (bytes: readonly number[]): void => {
    for (const byte of bytes) code.push(byte);
  };
  const local = (type: ValueType): number => {
    const reused = free[type].pop();
    const index = reused ?? parameters + types.push(type) - 1;
    scopes.at(-1)?.push({ type, index });
    return index;
  };
  const get = (index: number): void => emit([0x20, ...unsigned(index)]);
  const set = (index: number): void => emit([0x21, ...unsigned(index)]);
  const i32 = (value: number): void => emit([0x41, ...signed(value)]);
  const addI32 = (): void => emit([0x6a]);
  const asm: Assembler = {
    local,
    scope: (inside) => {
      scopes.push([]);
      inside();
      for (const { type, index } of scopes.pop() ?? []) free[type].push(index);
    },
    get,
    set,
    i32,
    f32: (value) => emit([0x43, ...floatBytes(value)]),
    addI32,
    subI32: () => emit([0x6b]),
    mulI32: () => emit([0x6c]),
    xorI32: () => emit([0x73]),
    storeI32: (offset) => emit([0x36, 2, ...unsigned(offset)]),
    i64: (value) => {
      i32(value);
      asm.widenI32();
    },
    mulI64: () => emit([0x7e]),
    widenI32: () => emit([0xad]),
    lowerI64: () => emit([0xa7]),
    upperI64: () => emit([0x42, 32, 0x88, 0xa7]),
    loadI32: (offset) => emit([0x28, 2, ...unsigned(offset)]),
    call: (index) => emit([0x10, ...unsigned(index)]),
    addF32: () => emit([0x92]),
    loadF32: (offset) => emit([0x2a, 2, ...unsigned(offset)]),
    storeF32: (offset) => emit([0x38, 2, ...unsigned(offset)]),
    fill: () => emit([0xfc, 0x0b, 0x00]),
    vector: (op, ...immediates) => emit([0xfd, ...unsigned(vector[op]), ...immediates]),
    access: (op, offset, lane) =>
      emit([0xfd, ...unsigned(vector[op]), 2, ...unsigned(offset), ...(lane === undefined ? [] : [lane])]),
    constant: (bytes) => emit([0xfd, ...unsigned(vector['v128.const']), ...bytes]),
    repeat: (times, body) => {
      if (times === 1) return body();
      if (times < 1) return;
      asm.scope(() => {
        const count = local('i32');
        i32(times);
        set(count);
        asm.repeatFor(count, body);
      });
    },
    repeatFor: (count, body) => {
      emit([0x03, 0x40]);
      body();
      get(count);
      i32(-1);
      addI32();
      emit([0x22, ...unsigned(count), 0x0d, 0, 0x0b]);
    },
    finish: () => {
      const locals = types.flatMap((type) => [1, typeCode[type]]);
      return [...unsigned(types.length), ...locals, ...code, 0x0b];
    },
  };
  return asm;
};

export type FunctionCode = {
  readonly name: string;
  readonly parameters: number;
  readonly code: readonly number[];
};

const concat = (parts: readonly (readonly number[])[]): number[] => {
  const all: number[] = [];
  for (const part of parts) for (const byte of part) all.push(byte);
  return all;
};

const sized = (bytes: readonly number[]): readonly number[] => concat([unsigned(bytes.length), bytes]);

const list = (items: readonly (readonly number[])[]): number[] => concat([unsigned(items.length), ...items]);

const name = (text: string): readonly number[] => sized([...text].map((c) => c.charCodeAt(0)));

const section = (id: number, bytes: readonly number[]): readonly number[] => concat([[id], sized(bytes)]);

/** A function of the host, which takes so many i32 and returns nothing; it comes before the module's own. */
export type Import = { readonly name: string; readonly parameters: number };

/** Pages of 64 KiB that a shared memory may have. */
export const mostPages = 65_536;

/** A module whose functions take i32 addresses, return nothing and work on the imported `env.memory`, which threads may share. */
export const encodeModule = (
  functions: readonly FunctionCode[],
  { imports = [], shared = false }: { readonly imports?: readonly Import[]; readonly shared?: boolean } = {},
): Uint8Array => {
  const arities = [...new Set([...imports, ...functions].map((f) => f.parameters))];
  const limits = shared ? [2, 3, 0, ...unsigned(mostPages)] : [2, 0, 0];
  const types = arities.map((n) => [0x60, ...unsigned(n), ...Array<number>(n).fill(typeCode.i32), 0]);
  return Uint8Array.from(
    concat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(types)),
      section(
        2,
        list([
          concat([name('env'), name('memory'), limits]),
          ...imports.map((f) =>
            concat([name('env'), name(f.name), [0], unsigned(arities.indexOf(f.parameters))]),
          ),
        ]),
      ),
      section(3, list(functions.map((f) => unsigned(arities.indexOf(f.parameters))))),
      section(7, list(functions.map((f, i) => concat([name(f.name), [0], unsigned(imports.length + i)])))),
      section(10, list(functions.map((f) => sized(f.code)))),
    ]),
  );
};
