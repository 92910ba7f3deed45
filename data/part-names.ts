/** The parts of a data set by the names that people give them, of folders, arrays and columns alike, in any case. */

export type PartName = 'train' | 'test' | 'validation';

const words: Readonly<Record<PartName, readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing'],
  validation: ['validation', 'valid', 'val'],
};

/** Every word that names a part. */
export const partWords: readonly string[] = Object.values(words).flat();

/** The part that a word means: `Training` is `train`. */
export const partNamed = (word: string): PartName | undefined => {
  const lower = word.toLowerCase();
  return words.train.includes(lower)
    ? 'train'
    : words.test.includes(lower)
      ? 'test'
      : words.validation.includes(lower)
        ? 'validation'
        : undefined;
};
