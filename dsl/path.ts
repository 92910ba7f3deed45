/** Paths into a value: `networks.decoder.layers[2].filters`. */

export type Path = readonly (string | number)[];

/** Indices in brackets, keys after a dot, keys that are no identifiers quoted in brackets; the root is `experiment`. */
export const showPath = (path: Path): string =>
  path.length === 0
    ? 'experiment'
    : path
        .map((key, i) => {
          if (typeof key === 'number') return `[${key}]`;
          if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) return `[${JSON.stringify(key)}]`;
          return i === 0 ? key : `.${key}`;
        })
        .join('');
