/** Paths into a value: `networks.decoder.layers[2].filters`. */

export type Path = readonly (string | number)[];

/** One step further from a path as text: indices in brackets, keys after a dot, keys that are no identifiers quoted in brackets. */
export const fieldPath = (base: string, key: string | number): string => {
  if (typeof key === 'number') return `${base}[${key}]`;
  if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) return `${base}[${JSON.stringify(key)}]`;
  return base === '' ? key : `${base}.${key}`;
};

const step = /\.?([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/gu;

/** The path that a text means, as `fieldPath` writes it; nothing where it means none. */
export const parsePath = (text: string): Path | undefined => {
  const steps = [...text.matchAll(step)];
  const whole = steps.map(([part]) => part).join('') === text && text !== '' && !text.startsWith('.');
  return whole
    ? steps.map(([, name, index, quoted = '']) =>
        index === undefined ? (name ?? String(JSON.parse(quoted))) : Number(index),
      )
    : undefined;
};

/** A path as text; the root is `experiment`. */
export const showPath = (path: Path): string => path.reduce<string>(fieldPath, '') || 'experiment';
