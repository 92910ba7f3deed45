/** Parquet files as tables: columns by name, values as the cells that they would be in a text. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { memoryProblem } from '../../memory.js';
import type { OpenOptions } from '../../options.js';
import type { Found } from '../../parts.js';
import { messageOf } from '../file.js';
import { distinctNames } from './columns.js';
import type { RowBlock } from './split-rows.js';
import type { TableValues } from './settings.js';
import { collectRows } from './table.js';

type Problems = readonly Problem[];

const ROWS_AT_ONCE = 16_384;

/** Beside Snappy, how columns are packed. */
const compressors = {
  GZIP: (bytes: Uint8Array, maxOutputLength: number) => gunzipSync(bytes, { maxOutputLength }),
  BROTLI: (bytes: Uint8Array, maxOutputLength: number) => brotliDecompressSync(bytes, { maxOutputLength }),
};

/** A value as a cell: numbers keep their digits, days and times are words. */
const cellOf = (value: unknown): string => {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'string':
      return String(value);
    case 'boolean':
      return value ? '1' : '0';
    default:
      return value instanceof Date
        ? value.toISOString()
        : value === null || value === undefined
          ? ''
          : JSON.stringify(value);
  }
};

/** The name under which pandas keeps an index. */
const isIndex = (name: string): boolean => /^__index_level_\d+__$/.test(name);

/** Reads all rows of a file whose columns are not nested. */
export const readParquet =
  (path: string, values: TableValues, options: OpenOptions): TaskEither<Problems, Found> =>
  async () => {
    try {
      const file = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(file);
      const columns = parquetSchema(metadata).children;
      const nested = columns.find(({ children }) => children.length > 0);
      if (nested !== undefined)
        return left([
          problem(path, `a nested column ${JSON.stringify(nested.element.name)}`, 'columns of single values'),
        ]);
      const size = Number(metadata.num_rows);
      const tooMuch = memoryProblem(
        path,
        8 * size * columns.length,
        `${size} rows of ${columns.length} columns`,
        {
          limit: options.memory,
        },
      );
      if (tooMuch !== undefined) return left([tooMuch]);
      const given = columns.map(({ element }) => element.name);
      const names = distinctNames(given);
      async function* blocks(): AsyncGenerator<RowBlock> {
        for (let first = 0; first < size; first += ROWS_AT_ONCE) {
          const rowEnd = Math.min(size, first + ROWS_AT_ONCE);
          const rows: readonly Readonly<Record<string, unknown>>[] = await parquetReadObjects({
            file,
            metadata,
            compressors,
            rowStart: first,
            rowEnd,
          });
          yield {
            cells: rows.map((row) => given.map((name) => cellOf(row[name]))),
            lines: rows.map((_, i) => first + i + 1),
          };
        }
      }
      const indices = given.flatMap((name, i) => (isIndex(name) ? [i] : []));
      const dropped = new Set(values.index === 'keep' ? [] : indices);
      const layout = { names, isNamed: true, skipped: 0, dropped };
      return await collectRows(path, { layout, hasDecimalComma: false, blocks }, values, options);
    } catch (error) {
      const found = messageOf(error);
      const hint = found.includes('compression codec') ? 'write it with compression="gzip"' : undefined;
      return left([problem(path, found, 'a Parquet file that can be read', hint)]);
    }
  };
