/** Rows of cells as they come into columns of numbers: values in double precision, categories and classes by their number. */
import { elementAt, float64At, int32At } from '../../../dsl/lookup.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import type { Floats, Stored } from '../../dataset.js';
import { type Field, type Fields, integerField, LABEL, MOST_CLASSES } from '../../field.js';
import { memoryProblem } from '../../memory.js';
import type { Column, Label, Missing } from '../../preprocessing/preprocessing.js';
import { isMissing, numberOf } from './cells.js';
import type { Role } from './columns.js';
import { type Naming, naming, ranked } from './naming.js';

/** Values by block, so that growing copies nothing. */
const VALUES_IN_BLOCK = 2 ** 20;

/** Of a cell that is no number, so many letters. */
const MOST_SHOWN = 80;
const MOST_PROBLEMS = 5;
/** As much is read after a problem, to find others. */
const LETTERS_AFTER = 2 ** 20;

export type CollectOptions = {
  readonly path: string;
  readonly names: readonly string[];
  readonly isNamed: boolean;
  readonly roles: readonly Role[];
  /** The columns of examples in the order of their elements. */
  readonly elements: readonly number[];
  readonly missing: Missing;
  readonly hasDecimalComma: boolean;
  readonly memory: number | undefined;
  /** The names of categories and classes that were fitted before, by column. */
  readonly known: ReadonlyMap<string, readonly string[]>;
};

/** What was collected. */
export type Collected = {
  readonly source: Stored;
  readonly columns: readonly Column[];
  readonly labels: readonly Label[];
};

const placeText = (names: readonly string[], isNamed: boolean, i: number): string =>
  isNamed ? `column ${i + 1} (${names[i]})` : `column ${i + 1}`;

export const collector = (name: string, options: CollectOptions) => {
  const { path, names, isNamed, roles, elements, missing, hasDecimalComma, memory, known } = options;
  const width = elements.length;
  const rowsInBlock = Math.max(1, Math.floor(VALUES_IN_BLOCK / width));
  const blocks: Float64Array[] = [];
  const namings = names.map((column, i) =>
    roles[i] === 'category' || roles[i] === 'label' ? naming(known.get(column)) : undefined,
  );
  const others = [...roles.keys()]
    .filter((i) => roles[i] === 'label' || roles[i] === 'field')
    .map((i) => ({ i, values: growing() }));
  const lacking = new Float64Array(names.length);
  const seen = new Set<number>();
  const problems: Problem[] = [];
  let firstLacking = 0;
  let size = 0;
  let lettersAfter = 0;

  const report = (line: number, i: number, cell: string, expected: string, hint?: string): void => {
    if (seen.has(i)) return;
    seen.add(i);
    const found = cell === '' ? 'nothing' : JSON.stringify(cell.slice(0, MOST_SHOWN));
    problems.push(problem(`${path}:${line}`, `${found} in ${placeText(names, isNamed, i)}`, expected, hint));
  };

  const lacks = (line: number, i: number): void => {
    lacking[i] = elementAt(lacking, i) + 1;
    if (firstLacking === 0) firstLacking = line;
  };

  /** The number of a cell's name; −1, and a problem, for a name that is not among those fitted before. */
  const placeOf = (of: Naming, line: number, i: number, cell: string, what: string): number => {
    const place = of.place(cell);
    if (place < 0)
      report(
        line,
        i,
        cell,
        `one of ${of
          .names()
          .slice(0, 12)
          .map((name) => name.slice(0, MOST_SHOWN))
          .join(', ')}`,
      );
    if (place >= MOST_CLASSES) report(line, i, `${place + 1} ${what}`, `at most ${MOST_CLASSES}`);
    return place;
  };

  const element = (line: number, i: number, cell: string): number => {
    const of = namings[i];
    if (isMissing(cell)) {
      lacks(line, i);
      return NaN;
    }
    if (of === undefined) {
      const value = numberOf(cell, hasDecimalComma);
      if (Number.isNaN(value))
        report(
          line,
          i,
          cell,
          'a finite number',
          /[a-z]/i.test(cell.slice(0, MOST_SHOWN))
            ? 'categories=onehot makes one-hot vectors of words, labels=COLUMN takes a column as classes'
            : undefined,
        );
      return value;
    }
    const place = placeOf(of, line, i, cell, 'categories');
    return place < 0 ? NaN : place;
  };

  const other = (line: number, i: number, cell: string): number => {
    const of = namings[i];
    if (isMissing(cell)) report(line, i, cell, of === undefined ? 'a number' : 'a class');
    if (of === undefined) {
      const value = numberOf(cell, hasDecimalComma);
      if (Number.isNaN(value)) report(line, i, cell, 'a finite number');
      return value;
    }
    return Math.max(0, placeOf(of, line, i, cell, 'classes'));
  };

  /** Room for one more row, or the end of the memory. */
  const roomFor = (): Float64Array | undefined => {
    const block = blocks.at(Math.floor(size / rowsInBlock));
    if (block !== undefined) return block;
    const bytes = 8 * (blocks.length + 1) * rowsInBlock * width;
    const tooMuch = memoryProblem(path, bytes, `more than ${size} rows of ${width} numbers`, {
      limit: memory,
    });
    if (tooMuch !== undefined) {
      problems.push(tooMuch);
      return undefined;
    }
    const made = new Float64Array(rowsInBlock * width);
    blocks.push(made);
    return made;
  };

  return {
    problems: (): readonly Problem[] => problems.slice(0, MOST_PROBLEMS),
    isFull: (): boolean => problems.length >= MOST_PROBLEMS || lettersAfter > LETTERS_AFTER,
    /** One row more. */
    add: (cells: readonly string[], line: number): void => {
      if (problems.length > 0) lettersAfter += cells.reduce((sum, cell) => sum + cell.length + 1, 0);
      if (cells.length !== names.length) {
        problems.push(
          problem(`${path}:${line}`, `${cells.length} fields`, `${names.length}, as in the first row`),
        );
        return;
      }
      if (missing === 'drop' && others.some(({ i }) => isMissing(elementAt(cells, i)))) return;
      const block = roomFor();
      if (block === undefined) return;
      const at = (size % rowsInBlock) * width;
      for (let e = 0; e < width; e++)
        block[at + e] = element(line, elementAt(elements, e), elementAt(cells, elementAt(elements, e)));
      for (const { i, values } of others) values.push(other(line, i, elementAt(cells, i)));
      size++;
    },
    /** All rows, once there are no more. */
    finish: (): Collected | readonly Problem[] => {
      const total = lacking.reduce((sum, count) => sum + count, 0);
      if (total > 0 && missing === 'refuse' && problems.length === 0) {
        const places = [...lacking.keys()].filter((i) => float64At(lacking, i) > 0);
        const counts = places
          .slice(0, 12)
          .map((i) => `${lacking[i]} in ${placeText(names, isNamed, i)}`)
          .join(', ');
        const more = places.length > 12 ? ` and more in ${places.length - 12} columns` : '';
        return [
          problem(
            path,
            `${total} missing value${total === 1 ? '' : 's'}: ${counts}${more}; the first in line ${firstLacking}`,
            'a value everywhere',
            'missing=drop leaves such rows out, missing=mask keeps them with a mask',
          ),
        ];
      }
      if (problems.length > 0) return problems.slice(0, MOST_PROBLEMS);
      const ranks = namings.map((of) => (of === undefined ? undefined : ranked(of)));
      elements.forEach((i, e) => {
        const rank = ranks[i]?.rank;
        if (rank === undefined || namings[i]?.isFixed === true) return;
        for (let row = 0; row < size; row++) {
          const block = elementAt(blocks, Math.floor(row / rowsInBlock));
          const at = (row % rowsInBlock) * width + e;
          if (!Number.isNaN(elementAt(block, at))) block[at] = elementAt(rank, elementAt(block, at));
        }
      });
      const fieldOf = (i: number, values: Float64Array): Field => {
        const of = ranks[i];
        return of === undefined
          ? { shape: [], type: 'float', values: Float32Array.from(values) }
          : integerField(
              values.map((place) => int32At(of.rank, place)),
              of.names,
            );
      };
      const entries = others.map(({ i, values }): readonly [string, Field] => [
        elementAt(names, i),
        fieldOf(i, values.all()),
      ]);
      const first = others.findIndex(({ i }) => roles[i] === 'label');
      const fields: Fields = Object.fromEntries([
        ...(first < 0 ? [] : [[LABEL, elementAt(entries, first)[1]] as const]),
        ...entries,
      ]);
      return {
        source: {
          name,
          shape: [width],
          size,
          ...(entries.length === 0 ? {} : { fields }),
          read: (rows, into) => () => {
            copyRows(blocks, rowsInBlock, width, rows, into);
            return Promise.resolve({ _tag: 'Right', right: undefined });
          },
        },
        columns: elements.map((i): Column => {
          const categories = ranks[i]?.names;
          return categories === undefined
            ? { tag: 'number', name: elementAt(names, i) }
            : { tag: 'category', name: elementAt(names, i), categories };
        }),
        labels: others.flatMap(({ i }): readonly Label[] => {
          const classes = ranks[i]?.names;
          return classes === undefined ? [] : [{ field: elementAt(names, i), classes }];
        }),
      };
    },
  };
};

const copyRows = (
  blocks: readonly Float64Array[],
  rowsInBlock: number,
  width: number,
  rows: ArrayLike<number>,
  into: Floats,
): void => {
  for (let i = 0; i < rows.length; i++) {
    const block = elementAt(blocks, Math.floor(elementAt(rows, i) / rowsInBlock));
    const at = (elementAt(rows, i) % rowsInBlock) * width;
    for (let e = 0; e < width; e++) into[i * width + e] = elementAt(block, at + e);
  }
};

/** Numbers that grow as rows come. */
const growing = () => {
  let values = new Float64Array(1024);
  let length = 0;
  return {
    push: (value: number): void => {
      if (length === values.length) {
        const larger = new Float64Array(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    all: (): Float64Array => values.slice(0, length),
  };
};
