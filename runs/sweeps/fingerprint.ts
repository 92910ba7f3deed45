/** A fingerprint: what a trial depends on besides its own words, so that a kept result is one of the same data and the same program. */
import { entryOf } from '../../dsl/lookup.js';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { digestOf, nameOf, pathOf } from '../../data/index.js';
import { type Codec, record, struct } from '../../dsl/codec/codec.js';
import { anyString, nonEmptyString } from '../../dsl/codec/primitive.js';
import { type Problem, problem } from '../../dsl/index.js';
import { versions } from '../records/provenance.js';

export type Fingerprint = {
  /** Of this package. */
  readonly version: string;
  /** The digest of each file or folder that is read, by its path as the trial has it. */
  readonly inputs: Readonly<Record<string, string>>;
};

/** The JSON form of a fingerprint. */
export const fingerprintCodec: Codec<Fingerprint> = struct(
  'a fingerprint: the version and the digests of the inputs',
  {
    version: nonEmptyString,
    inputs: record('an object of digests by path', nonEmptyString, anyString, 0),
  },
);

/** What a data reference reads from disk, without its settings. */
export const inputOf = (reference: string): readonly string[] =>
  pathOf(reference) === undefined ? [] : [nameOf(reference)];

/** The digest of each path that there is; what is missing is for the trial to report. */
export const digestsOf = async (paths: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const digests = new Map<string, string>();
  for (const path of new Set(paths)) {
    const digest = await digestOf(path)();
    if (isRight(digest)) digests.set(path, digest.right);
  }
  return digests;
};

/** The fingerprint of this version and of the inputs that there are. */
export const fingerprintOf = (
  inputs: readonly string[],
  digests: ReadonlyMap<string, string>,
): Fingerprint => ({
  version: entryOf(versions(), 'immersion'),
  inputs: Object.fromEntries(
    inputs.flatMap((path) => {
      const digest = digests.get(path);
      return digest === undefined ? [] : [[path, digest]];
    }),
  ),
});

/** What is not as it was pinned: a result of something else would be kept under the key of this trial. */
export const fingerprintProblems = async ({ version, inputs }: Fingerprint): Promise<readonly Problem[]> => {
  const running = versions()['immersion'];
  const found = await Promise.all(
    Object.entries(inputs).map(async ([path, pinned]) => {
      const digest = await digestOf(path)();
      if (isLeft(digest)) return digest.left;
      const expected = `${pinned.slice(0, 12)}…, as when the trial was made`;
      return digest.right === pinned
        ? []
        : [problem(path, `content ${digest.right.slice(0, 12)}…`, expected, 'start the sweep again')];
    }),
  );
  return [
    ...(version === running
      ? []
      : [problem('immersion', `version ${running}`, `${version}, as when the trial was made`)]),
    ...found.flat(),
  ];
};
