/** What a file is, told by its first bytes. */
import { uint8At } from '../../dsl/lookup.js';
import { isGzip, isText, unpackedHead } from './table/text.js';

/** Kinds that are read, and `packed` ones of these; all else is named. */
export type Kind =
  | { readonly tag: 'npy' | 'npz' | 'idx' | 'parquet' | 'table' }
  | { readonly tag: 'other'; readonly what: string; readonly hint?: string };

const starts = (head: Uint8Array, magic: string): boolean =>
  Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, magic.length)).toString('latin1') === magic;

const other = (what: string, hint?: string): Kind =>
  hint === undefined ? { tag: 'other', what } : { tag: 'other', what, hint };

/** Formats by their first bytes, in this order. */
const known: readonly (readonly [string, Kind])[] = [
  ['\x93NUMPY', { tag: 'npy' }],
  ['PAR1', { tag: 'parquet' }],
  ['ARROW1', other('an Arrow file', 'write it as .parquet, .csv or .npy')],
  ['\x00\x00\x08', { tag: 'idx' }],
  ['\x89HDF', other('an HDF5 file', 'write its array with numpy.save')],
  ['\x89PNG', other('a picture', 'name the folder that it is in')],
  ['\xff\xd8\xff', other('a picture', 'name the folder that it is in')],
  ['SQLite format 3\x00', other('an SQLite database', 'write the table as .csv')],
  ['%PDF', other('a PDF document')],
  ['Rar!', other('an archive', 'unpack it')],
  ['7z\xbc\xaf', other('an archive', 'unpack it')],
  ['BZh', other('a file packed by bzip2', 'unpack it')],
  ['\xfd7zXZ', other('a file packed by xz', 'unpack it')],
  ['\x28\xb5\x2f\xfd', other('a file packed by zstd', 'unpack it')],
  ['\xd0\xcf\x11\xe0', other('an old Excel sheet', 'save it as .csv')],
  ['MATLAB 5.0', other('a MATLAB file', 'write its array with numpy.save')],
  ['\x80\x02', other('a Python pickle', 'write its array with numpy.save')],
  ['\x80\x03', other('a Python pickle', 'write its array with numpy.save')],
  ['\x80\x04', other('a Python pickle', 'write its array with numpy.save')],
  ['\x80\x05', other('a Python pickle', 'write its array with numpy.save')],
];

/** What is in a zip archive, by the name of its first entry. */
const zipped = (head: Uint8Array): Kind => {
  const name = Buffer.from(head.subarray(30, 230)).toString('latin1');
  if (/^(\[Content_Types\]\.xml|_rels\/|xl\/)/.test(name)) return other('an Excel sheet', 'save it as .csv');
  if (/^[^\0]*\.npy/.test(name) || head.length < 34) return { tag: 'npz' };
  const length = uint8At(head, 26) + 256 * uint8At(head, 27);
  return other(`a zip archive with ${JSON.stringify(name.slice(0, Math.min(length, 60)))}`, 'unpack it');
};

/** Text that is no table. */
const written = (text: string): Kind | undefined => {
  const begin = text.trimStart().slice(0, 200).toLowerCase();
  if (/^<(!doctype|html|\?xml|svg)/.test(begin))
    return other('a page of HTML or XML', 'was it downloaded in place of the data?');
  if (/^\{\s*"/.test(begin) || /^\[\s*[[{]/.test(begin)) return other('JSON', 'write the table as .csv');
  if (/^version https:\/\/git-lfs/.test(begin))
    return other('a pointer of Git LFS', 'git lfs pull fetches the file');
  return undefined;
};

const describe = (head: Uint8Array): string => {
  const bytes = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return head.length === 0 ? 'an empty file' : `a file that begins with the bytes ${bytes}`;
};

/** The kind of a file by its first bytes. */
export const kindOf = (head: Uint8Array): Kind => {
  const magic = known.find(([bytes]) => starts(head, bytes));
  if (magic !== undefined) return magic[1];
  if (starts(head, 'PK\x03\x04') || starts(head, 'PK\x05\x06')) return zipped(head);
  if (isGzip(head)) {
    const inner = kindOf(unpackedHead(head));
    if (inner.tag === 'table' || inner.tag === 'idx') return inner;
    return other(
      inner.tag === 'other' ? `a gzip file of ${inner.what}` : `a gzip file of .${inner.tag} data`,
      'unpack it',
    );
  }
  if (!isText(head)) return other(describe(head));
  return written(new TextDecoder().decode(head.subarray(0, 1000))) ?? { tag: 'table' };
};
