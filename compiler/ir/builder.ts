/** Collects the equations of a program while a transform writes them. */
import type { PrimitiveName } from './params.js';
import {
  type Binder,
  type BinderKind,
  type Emit,
  type Equation,
  type EquationOf,
  firstFree,
  type Var,
} from './program.js';
import { typeOf } from './primitive-table.js';
import { sameType, type Type } from './type.js';

export type Builder = {
  readonly emit: Emit;
  /** A variable that no equation defines yet. */
  readonly fresh: (type: Type) => Var;
  /** The binder of that name, made on first use. */
  readonly bind: (kind: BinderKind, name: string, type: Type) => Var;
  readonly binders: () => readonly Binder[];
  readonly equations: () => readonly Equation[];
};

/** The equation with its output variable; an ill-typed one is a fault of the compiler, not of its user, so it throws. */
export const equation = <P extends PrimitiveName>(
  primitive: P,
  params: EquationOf<P>['params'],
  inputs: readonly Var[],
  fresh: (type: Type) => Var,
): EquationOf<P> => {
  const type = typeOf({ primitive, params, inputs });
  if (typeof type === 'string') throw new Error(`ill-typed equation ${primitive}: expected ${type}`);
  return { primitive, params, inputs, out: fresh(type) };
};

/** Starts after an existing program's equations, or empty. */
export const createBuilder = (
  from: { readonly binders: readonly Binder[]; readonly equations: readonly Equation[] } = {
    binders: [],
    equations: [],
  },
): Builder => {
  const equations: Equation[] = [...from.equations];
  const binders = new Map(from.binders.map((binder) => [binder.name, binder]));
  let next = firstFree(from);
  const fresh = (type: Type): Var => ({ id: next++, type });
  return {
    fresh,
    emit: (primitive, params, inputs) => {
      const eq = equation(primitive, params, inputs, fresh);
      equations.push(eq);
      return eq.out;
    },
    bind: (kind, name, type) => {
      const known = binders.get(name);
      if (known !== undefined) {
        if (known.kind !== kind || !sameType(known.var.type, type))
          throw new Error(`two binders named ${name}`);
        return known.var;
      }
      const binder = { kind, name, var: fresh(type) };
      binders.set(name, binder);
      return binder.var;
    },
    binders: () => [...binders.values()],
    equations: () => [...equations],
  };
};
