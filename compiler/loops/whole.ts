/** The whole number that a float32 is nearest to, as a place of a table: exact, whatever is asked for. */

type Operations<V> = Readonly<
  Record<'add' | 'sub' | 'less' | 'greater' | 'and', (a: V, b: V) => V> & Record<'abs' | 'hold', (a: V) => V>
> & {
  readonly constant: (value: number) => V;
  readonly choose: (mask: V, yes: V, no: V) => V;
  readonly nearest?: (x: V) => { readonly n: V };
};

/** From here on every float32 is a whole number; added to a smaller one, it leaves no fraction. */
const noFraction = 2 ** 23;

/** From 0 to size − 1 where that is less than ½ from x, else −1: also for NaN and infinities. */
export const wholeOf =
  <V>(m: Operations<V>) =>
  (x: V, size: number): V => {
    const { constant, hold } = m;
    const nearest = (a: V): V => {
      if (m.nearest !== undefined) return m.nearest(a).n;
      const n = hold(m.sub(hold(m.add(a, constant(noFraction))), constant(noFraction)));
      return size <= noFraction ? n : hold(m.choose(hold(m.less(a, constant(noFraction))), n, a));
    };
    const distance = hold(m.abs(x));
    const within = hold(m.and(m.less(distance, constant(size)), m.greater(x, constant(-0.5))));
    const a = hold(m.choose(within, distance, constant(0)));
    const n = hold(nearest(a));
    const near = m.less(hold(m.abs(hold(m.sub(a, n)))), constant(0.5));
    const found = hold(m.and(hold(m.and(within, near)), m.less(n, constant(size))));
    return m.choose(found, n, constant(-1));
  };
