/** A variable of a program: a number and a type. */
import type { Type } from './type.js';

export type Var = { readonly id: number; readonly type: Type };
