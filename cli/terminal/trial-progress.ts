/** How trials come along: a line that is redrawn on a terminal, a line for each trial elsewhere. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Outcome, SweepEvent } from '../../runs/index.js';
import { bar, duration, short } from '../../runs/records/progress.js';
import { createStatusLine, type Screen } from '../../runs/records/status-line.js';
import { showProblem } from '../../dsl/index.js';

export type TrialProgress = {
  readonly onEvent: (event: SweepEvent, label: string) => void;
  readonly end: () => void;
};

const SHOWN_FIGURES = 2;

const inWords = (outcome: Outcome): string =>
  isLeft(outcome)
    ? `failed: ${outcome.left
        .map(showProblem)
        .join('; ')
        .replaceAll(/\s*\n\s*/g, ' ')}`
    : [
        `loss ${short(outcome.right.loss)}`,
        ...Object.entries(outcome.right.measures)
          .slice(0, SHOWN_FIGURES)
          .map(([name, value]) => `${name} ${short(value)}`),
      ].join('  ');

/** Follows `count` trials, `atOnce` at a time. */
export const createTrialProgress = (screen: Screen, count: number, atOnce: number): TrialProgress => {
  const { inPlace, line, draw: redraw, end } = createStatusLine(screen);
  const started = performance.now();
  let kept = 0;
  let ended = 0;
  let failed = 0;
  let running = 0;

  const left = (): string => {
    const fresh = ended - kept;
    if (fresh < atOnce) return '';
    const seconds = (performance.now() - started) / 1000;
    return `  ${duration(((count - ended) * seconds) / fresh)} left`;
  };

  const draw = (): void => {
    const parts = [
      `${String(ended).padStart(String(count).length)}/${count} ${bar(ended / count, 20)}`,
      `${running} running`,
      ...(kept > 0 ? [`${kept} kept`] : []),
      ...(failed > 0 ? [`${failed} failed`] : []),
    ];
    redraw(`${parts.join('  ')}${left()}`);
  };

  return {
    onEvent: (event, label) => {
      if (event.tag === 'started') running += 1;
      else {
        ended += 1;
        if (event.kept) kept += 1;
        else running -= 1;
        if (isLeft(event.outcome)) failed += 1;
        if (!inPlace && !event.kept) line(`${ended}/${count}  ${label}  ${inWords(event.outcome)}${left()}`);
        else if (inPlace && isLeft(event.outcome)) line(`${label}  ${inWords(event.outcome)}`);
      }
      if (inPlace) draw();
    },
    end: () => {
      if (!end() && !inPlace && kept > 0) line(`${kept} of ${count} were done before`);
    },
  };
};
