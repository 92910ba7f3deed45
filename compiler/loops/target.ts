/** What lowering has to know of a machine, as data: no other file of this room depends on one. */

export type Target = {
  /** Elements of a vector; where there are several lengths, the longest first. */
  readonly lanes: readonly number[];
  /** Vectors that a loop can hold. */
  readonly registers: number;
  /** Whether a product reads its operands from memory, so that only the vectors along a tile are held beside its sums. */
  readonly readsMemory: boolean;
  /** Numbers of a matrix that is read as fast down its columns as along its rows, since a near cache holds it. */
  readonly near: number;
  /** How wide a packed operand's blocks may be, the best first; none where operands are read as they lie. */
  readonly blocks: readonly number[];
  /** Arrays that one loop may read and write. */
  readonly arrays: number;
};
