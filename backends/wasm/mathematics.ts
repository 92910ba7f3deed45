/** The operations on four float32 lanes, and the elementary functions that are made of them. */
import { floatBytes, intBytes, type Assembler, type VectorOp } from './encode.js';
import { type Elementary, elementary } from '../../compiler/loops/float32.js';

/** Code that leaves one v128 on the stack. */
export type Code = () => void;

export type Mathematics = Elementary<Code> & {
  readonly constant: (value: number) => Code;
  /** Computes once; the result may then be used any number of times. */
  readonly hold: (code: Code) => Code;
};

/** Operands of `unary`, `binary` and `select` are evaluated possibly more than once: hold them first. */
export const mathematics = (asm: Assembler): Mathematics => {
  const splat =
    (bytes: readonly number[]): Code =>
    () =>
      asm.constant([...bytes, ...bytes, ...bytes, ...bytes]);
  const constant = (value: number): Code => splat(floatBytes(value));
  const bits = (value: number): Code => splat(intBytes(value));
  const apply =
    (op: VectorOp, ...operands: readonly Code[]): Code =>
    () => {
      for (const operand of operands) operand();
      asm.vector(op);
    };
  const shift =
    (op: 'i32x4.shl' | 'i32x4.shr_s', x: Code, by: number): Code =>
    () => {
      x();
      asm.i32(by);
      asm.vector(op);
    };
  const hold = (code: Code): Code => {
    const local = asm.local('v128');
    code();
    asm.set(local);
    return () => asm.get(local);
  };
  const binary =
    (op: VectorOp) =>
    (a: Code, b: Code): Code =>
      apply(op, a, b);
  const unary =
    (op: VectorOp) =>
    (a: Code): Code =>
      apply(op, a);
  return {
    constant,
    hold,
    ...elementary({
      constant,
      bits,
      hold,
      add: binary('f32x4.add'),
      sub: binary('f32x4.sub'),
      mul: binary('f32x4.mul'),
      div: binary('f32x4.div'),
      neg: unary('f32x4.neg'),
      abs: unary('f32x4.abs'),
      sqrt: unary('f32x4.sqrt'),
      max: binary('f32x4.max'),
      min: binary('f32x4.min'),
      // pmin(x, c) and pmax(x, c) keep x where it is NaN, and are one instruction on x64 where min and max are six.
      atMost: (x, bound) => apply('f32x4.pmin', x, constant(bound)),
      atLeast: (x, bound) => apply('f32x4.pmax', x, constant(bound)),
      less: binary('f32x4.lt'),
      greater: binary('f32x4.gt'),
      equal: binary('f32x4.eq'),
      notEqual: binary('f32x4.ne'),
      and: binary('v128.and'),
      andNot: binary('v128.andnot'),
      or: binary('v128.or'),
      xor: binary('v128.xor'),
      choose: (mask, yes, no) => apply('v128.bitselect', yes, no, mask),
      addInt: binary('i32x4.add'),
      subInt: binary('i32x4.sub'),
      shiftLeft: (x, by) => shift('i32x4.shl', x, by),
      shiftRight: (x, by) => shift('i32x4.shr_s', x, by),
      fromInt: unary('f32x4.convert_i32x4_s'),
    }),
  };
};
