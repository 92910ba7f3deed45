/** What the page says of data from elsewhere: how well scores of the model tell it from the model's own. */
import type { Detection, Detections } from '../density/out-of-distribution.js';
import { panel, type Row } from './figures-table.js';
import { numberText } from './text.js';

export const detectionNote =
  'How well test examples are told from those of other data. A threshold on each score is found on other examples of both sets than it is tested on; both sets count alike, so chance is 0.5. AUC below 0.5: the data from elsewhere looks more like the model’s data than that data itself.';

const names: Readonly<Record<keyof Detections, string>> = {
  likelihood: 'the likelihood',
  distance: 'the distance ‖x − x̂‖',
  both: 'both, two thresholds',
};

const rowOf = (name: string, { accuracy, auc }: Detection): Row => [
  name,
  auc === undefined ? numberText(accuracy) : `${numberText(accuracy)} (AUC ${numberText(auc)})`,
];

export const detectionPanel = (reference: string, by: Detections): string =>
  panel(
    reference,
    (['likelihood', 'distance', 'both'] as const).flatMap((score) => {
      const one = by[score];
      return one === undefined ? [] : [rowOf(`accuracy by ${names[score]}`, one)];
    }),
  );
