/** What a prior over codes is: where codes are drawn, ln p of them, how it is fitted, and how it is kept and taken up again. */
import { type Either, isLeft, left, map, right, tryCatch } from 'fp-ts/lib/Either.js';
import { join } from 'node:path';
import type { Codec } from '../../dsl/codec/codec.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { thrownAt } from '../../dsl/problem.js';
import type { Problem } from '../../dsl/index.js';
import type { Backend, Figures, PriorOverCodes } from '../../runs/index.js';
import { readRegular } from '../../runs/records/read-file.js';
import { writeWhole } from '../../runs/records/whole-file.js';
import { makeFolder } from '../../backends/places.js';

type Checked<A> = Either<readonly Problem[], A>;

/** A prior with what its fit came to: where a floor acted, how expectation-maximization or training ended. */
export type FittedPrior = PriorOverCodes & { readonly fit: Figures; readonly dispose: () => void };

export type PriorContext = {
  /** Numbers of a code. */
  readonly d: number;
  readonly seed: number;
  readonly backend: Backend;
  /** Of a mixture. */
  readonly components: number;
  /** A new folder, where what was fitted is kept. */
  readonly folder?: string | undefined;
};

export type PriorKind = {
  /** For people, as in "samples of …". */
  readonly label: (context: Pick<PriorContext, 'components'>) => string;
  /** Whether fitting takes so long that a run keeps what was fitted. */
  readonly isTrained: boolean;
  /** To codes [n, d]. */
  readonly fit: (codes: Float32Array, context: PriorContext) => Promise<Checked<FittedPrior>>;
  /** What a fit has kept: the same samples and densities to the bit, on the backend that it was fitted on. */
  readonly open: (folder: string, context: Pick<PriorContext, 'backend'>) => Promise<Checked<FittedPrior>>;
};

const nothing = (): void => undefined;

/** A prior that is a formula with some numbers: they are its file, `prior.json`. */
export const formulaPrior = <A extends PriorOverCodes>(
  label: PriorKind['label'],
  codec: Codec<A>,
  fit: (codes: Float32Array, context: PriorContext) => Checked<A & { readonly fit: Figures }>,
): PriorKind => ({
  label,
  isTrained: false,
  fit: async (codes, context) => {
    const fitted = fit(codes, context);
    if (isLeft(fitted) || context.folder === undefined)
      return map((prior: A & { readonly fit: Figures }) => ({ ...prior, dispose: nothing }))(fitted);
    const folder = makeFolder(context.folder);
    if (isLeft(folder)) return folder;
    const written = writeWhole(join(context.folder, FILE), `${JSON.stringify(codec.encode(fitted.right))}\n`);
    return isLeft(written) ? written : right({ ...fitted.right, dispose: nothing });
  },
  open: async (folder) => {
    const path = join(folder, FILE);
    const bytes = readRegular(path, 'a prior over codes');
    if (isLeft(bytes)) return bytes;
    const json = tryCatch(
      (): unknown => JSON.parse(bytes.right.toString('utf8')),
      thrownAt(path, 'a prior over codes as JSON'),
    );
    if (isLeft(json)) return json;
    const prior = codec.decode(json.right);
    return isLeft(prior)
      ? left(problemsOf(prior.left, contextPath).map((one) => ({ ...one, path: `${path}: ${one.path}` })))
      : right({ ...prior.right, fit: {}, dispose: nothing });
  },
});

const FILE = 'prior.json';
