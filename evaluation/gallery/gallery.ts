/** What a page shows of a model: samples of every prior, reconstructions, and ways through the space of codes. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Dataset, labelsOf, select } from '../../data/index.js';
import { type Shape, sizeOf } from '../../dsl/index.js';
import type { FieldsGiven, Fitted, KeptExamples } from '../../runs/index.js';
import { fieldsOfProgram } from '../../runs/model/fields.js';
import { attempt } from '../../backends/failure.js';
import { fitPrior, priorKinds } from '../priors/kinds.js';
import type { FittedPrior } from '../priors/prior.js';
import { encoded, errorOf, orNothing, type Reconstructed, reconstructed } from './passages.js';
import { rowsOf, type View, viewOf } from './view.js';
import { interpolations, traversals, type Walk } from './walks.js';

export type Sampled = { readonly prior: string; readonly examples: Float32Array };

export type Gallery = {
  readonly view: View;
  readonly samples: readonly Sampled[];
  /** Of some held-out examples, each under its class where it has one. */
  readonly pairs:
    | (Reconstructed & {
        readonly view: View;
        readonly labels: readonly (number | undefined)[];
        /** Of all held-out examples. */
        readonly all: Float32Array;
      })
    | undefined;
  readonly interpolations: readonly Walk[];
  readonly traversals: readonly Walk[];
  /** Mean of ‖x − x̂‖² over the held-out examples; undefined where nothing says what is reconstructed. */
  readonly error: number | undefined;
};

const SAMPLES = 36;
/** Of a table as many as its histograms are drawn from. */
const SAMPLED_ROWS = 2000;
const PAIRS = 20;
const WAYS = 4;
const STEPS = 9;
const LATENTS = 8;
const COMPONENTS = 10;

/** Rows of a set to show: as many of each class, in order of class, or the first ones. */
const chosenRows = (set: Dataset, count: number): readonly number[] => {
  const rows = Array.from({ length: set.size }, (_, row) => row);
  const labels = labelsOf(set);
  if (labels === undefined) return rows.slice(0, count);
  const classes = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const each = Math.max(1, Math.floor(count / classes.length));
  const byClass = classes.map((label) => rows.filter((row) => labels[row] === label).slice(0, each));
  return Array.from({ length: each }, (_, i) => byClass.flatMap((of) => of.slice(i, i + 1)))
    .flat()
    .slice(0, count);
};

export type ShownPrior = Pick<FittedPrior, 'sample' | 'dispose'> & { readonly label: string };

/** N(0, I), and what is fitted to codes of training examples where there are some. */
const priorsOf = async (
  codes: Float32Array | undefined,
  d: number,
  { backend }: Fitted,
): Promise<readonly ShownPrior[]> => {
  const names = codes === undefined || codes.length === 0 ? (['standard'] as const) : usual;
  const shown: ShownPrior[] = [];
  for (const name of names) {
    const prior = await fitPrior(name, codes ?? new Float32Array(), d, { backend, components: COMPONENTS });
    const label = priorKinds[name].label({ components: COMPONENTS });
    if (!isLeft(prior)) shown.push({ ...prior.right, label });
  }
  return shown;
};

const usual = ['gaussian', 'mixture', 'standard'] as const;

/** What the decoder is told beside codes, as one example has it. */
const fieldsOfRow = ({ compiled }: Fitted, { fields = {} }: Dataset, row: number): FieldsGiven =>
  Object.fromEntries(
    [...fieldsOfProgram(compiled.decode)].flatMap(([name, shape]) => {
      const size = sizeOf(shape);
      const found = fields[name]?.values.subarray(row * size, (row + 1) * size);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );

type Condition = { readonly what: string; readonly fields: FieldsGiven };

const MOST_CLASSES = 12;

/** Under what samples are drawn: for a decoder that is told the class each class, else what is known of the first example. */
const conditionsOf = (model: Fitted, held: Dataset): readonly Condition[] => {
  const wanted = fieldsOfProgram(model.compiled.decode);
  const [label] = [...wanted.keys()].filter(
    (name) => held.fields?.[name]?.type === 'integer' && held.fields[name].shape.length === 0,
  );
  const fields = fieldsOfRow(model, held, 0);
  if (label === undefined) return [{ what: '', fields }];
  const values = held.fields?.[label]?.values ?? [];
  const names = held.fields?.[label]?.classes;
  return [...new Set(Array.from(values))]
    .sort((a, b) => a - b)
    .slice(0, MOST_CLASSES)
    .map((value) => ({
      what: `, ${label} ${names?.[value] ?? value}`,
      fields: { ...fields, [label]: value },
    }));
};

const outputShape = ({ compiled }: Fitted): Shape => compiled.decode.outputs[0]?.var.type.shape ?? [];

export type GalleryOptions = {
  readonly seed: number;
  readonly kept?: KeptExamples | undefined;
  /** Those that are trained; they are disposed. */
  readonly priors?: readonly ShownPrior[] | undefined;
};

export const galleryOf = async (
  model: Fitted,
  { train, test }: { readonly train: Dataset; readonly test: Dataset },
  { seed, kept, priors = [] }: GalleryOptions,
): Promise<Gallery> => {
  const d = sizeOf(model.experiment.decoder.input);
  const view = viewOf(model.preprocessing, outputShape(model));
  const codes = kept?.codes.data ?? orNothing(await encoded(model, train));
  const samples: Sampled[] = [];
  const shownPriors = view.kind === 'other' ? [] : [...priors, ...(await priorsOf(codes, d, model))];
  const held = test.size > 0 ? test : train;
  const told = conditionsOf(model, held);
  // A row of pictures for each class.
  const pictures = told.length > 1 ? SAMPLES / 3 : SAMPLES;
  const count = view.kind === 'table' ? SAMPLED_ROWS : pictures;
  for (const { label, sample, dispose } of shownPriors) {
    for (const { what, fields } of told) {
      const examples = await attempt(() => model.sample(count, { seed, prior: sample, fields }));
      if (!isLeft(examples)) samples.push({ prior: `${label}${what}`, examples: examples.right });
    }
    dispose();
  }
  const all = orNothing(await reconstructed(model, held));
  const rows = chosenRows(held, PAIRS);
  const some = select(held, held.name, rows);
  const shown = rows.length === 0 ? undefined : orNothing(await reconstructed(model, some));
  const labels = labelsOf(some);
  const codesShown = rowsOf(orNothing(await encoded(model, some)) ?? new Float32Array(), d);
  const coded = rowsOf(codes ?? new Float32Array(), d);
  const walks = view.kind !== 'other' && codesShown.length > 1;
  return {
    view,
    samples,
    pairs:
      shown === undefined
        ? undefined
        : {
            ...shown,
            view: viewOf(model.preprocessing, shown.shape),
            labels: rows.map((_, i) => labels?.[i]),
            all: all?.targets ?? shown.targets,
          },
    interpolations: walks
      ? await interpolations(model, codesShown.slice(0, 2 * WAYS), STEPS, (row) =>
          fieldsOfRow(model, some, row),
        )
      : [],
    traversals:
      walks && coded.length > 0
        ? await traversals(model, coded, { steps: STEPS, most: LATENTS, fields: fieldsOfRow(model, some, 0) })
        : [],
    error: all === undefined ? undefined : errorOf(all),
  };
};
