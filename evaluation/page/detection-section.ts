/** What the page says of data from elsewhere: how well scores of the model tell it from the model's own. */
import type { Detection, Detections } from '../density/detection.js';
import { panel, type Row } from './figures-table.js';
import { countText, numberText } from './text.js';

export const detectionNote =
  'How well test examples are told from those of other data. AUC is the share of pairs in which the example from elsewhere has the greater score, with its 95 % interval; below 0.5 the data from elsewhere looks more like the model’s data than that data itself. Accuracy is that of a threshold on each score, found on other examples of both sets than it is tested on, none of which the model was trained on; both sets count alike, so chance is 0.5.';

const names: Readonly<Record<keyof Detections, string>> = {
  likelihood: 'the likelihood',
  distance: 'the distance ‖x − x̂‖',
  both: 'both, two thresholds',
};

const areaRows = (name: string, { auc, interval: [low, high] = [0, 1] }: Detection): readonly Row[] =>
  auc === undefined
    ? []
    : [[`AUC by ${name}`, `${numberText(auc)} (${numberText(low)} to ${numberText(high)})`]];

const withoutRows = (name: string, { without }: Detection): readonly Row[] =>
  without === undefined ? [] : [[`without ${name}, taken for outside`, `${countText(without)} examples`]];

export const detectionPanel = (reference: string, by: Detections): string => {
  const each = (['likelihood', 'distance', 'both'] as const).flatMap((score) => {
    const one = by[score];
    return one === undefined ? [] : [{ name: names[score], one }];
  });
  return panel(reference, [
    ...each.flatMap(({ name, one }) => areaRows(name, one)),
    ...each.map(({ name, one }): Row => [`accuracy by ${name}`, numberText(one.accuracy)]),
    ...each.flatMap(({ name, one }) => withoutRows(name, one)),
  ]);
};
