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

type Moved = Extract<SweepEvent, { readonly tag: 'moved' }>;
type Ended = Extract<SweepEvent, { readonly tag: 'ended' }>;

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

/** Follows `count` trials. */
export const createTrialProgress = (screen: Screen, count: number): TrialProgress => {
  const { inPlace, line, draw: redraw, end } = createStatusLine(screen);
  const started = performance.now();
  let kept = 0;
  let ended = 0;
  let failed = 0;
  const running = new Set<string>();
  let mostAtOnce = 1;

  /** Known once as many have ended as ran at a time. */
  const left = (): string => {
    const fresh = ended - kept;
    if (fresh < mostAtOnce) return '';
    const seconds = (performance.now() - started) / 1000;
    return `  ${duration(((count - ended) * seconds) / fresh)} left`;
  };

  const draw = (): void => {
    const parts = [
      `${String(ended).padStart(String(count).length)}/${count} ${bar(ended / count, 20)}`,
      `${count - ended - running.size} waiting`,
      `${running.size} running`,
      `${ended - failed} done`,
      `${failed} failed`,
      ...(kept > 0 ? [`${kept} kept`] : []),
    ];
    redraw(`${parts.join('  ')}${left()}`);
  };

  const onMove = ({ key, state, words }: Moved, label: string): void => {
    if (state === 'running') running.add(key);
    else running.delete(key);
    mostAtOnce = Math.max(mostAtOnce, running.size);
    // Where each one runs is too much for a terminal; what went wrong is not.
    if (words !== undefined && !(inPlace && state === 'running'))
      line(state === 'running' ? `${label}  running on ${words}` : `${label}  ${words}`);
  };

  const onEnd = ({ key, outcome, kept: isKept }: Ended, label: string): void => {
    running.delete(key);
    ended += 1;
    if (isKept) kept += 1;
    if (isLeft(outcome)) failed += 1;
    if (!inPlace && !isKept) line(`${ended}/${count}  ${label}  ${inWords(outcome)}${left()}`);
    else if (inPlace && isLeft(outcome)) line(`${label}  ${inWords(outcome)}`);
  };

  return {
    onEvent: (event, label) => {
      if (event.tag === 'moved') onMove(event, label);
      if (event.tag === 'ended') onEnd(event, label);
      if (inPlace) draw();
    },
    end: () => {
      if (!end() && !inPlace && kept > 0) line(`${kept} of ${count} were done before`);
    },
  };
};
