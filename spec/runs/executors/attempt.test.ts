/** How a trial comes along on a cluster: whatever happens, in whatever order, it ends once, and no more jobs are lost than may be. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { problem } from '../../../dsl/index.js';
import {
  after,
  type Attempt,
  backOff,
  beginning,
  type Happening,
  type JobState,
  mayWait,
} from '../../../runs/executors/attempt.js';

const state: fc.Arbitrary<JobState | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant<JobState>({ tag: 'waiting' }),
  fc.constant<JobState>({ tag: 'running', where: 'a' }),
  fc
    .constantFrom('lost', 'unplaced', 'stopped')
    .map((cause): JobState => ({ tag: 'ended', why: 'a cause', cause })),
);
const problems = [problem('a', 'b', 'c')];
const now = fc.nat({ max: 1e6 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.nat({ max: 3 }).map((id): Happening => ({ tag: 'submitted', id: String(id) })),
  fc.tuple(fc.boolean(), now).map(([busy, at]): Happening => ({ tag: 'refused', problems, busy, now: at })),
  fc.tuple(state, now).map(([seen, at]): Happening => ({ tag: 'seen', state: seen, now: at })),
  fc.constant<Happening>({ tag: 'result' }),
  fc.constant<Happening>({ tag: 'given up', problems }),
);
const history = fc.array(happening, { maxLength: 30 });
const tries = fc.integer({ min: 1, max: 4 });

/** What was known after each of them, the beginning first. */
const course = (all: readonly Happening[], most: number): readonly Attempt[] =>
  all.reduce<readonly Attempt[]>(
    (known, one) => [
      ...known,
      after(known.at(-1) ?? beginning, one, { folder: 'f', tries: most, turns: Infinity }),
    ],
    [beginning],
  );

const pairs = (all: readonly Attempt[]): readonly (readonly [Attempt, Attempt])[] =>
  all.slice(1).map((next, i) => [all[i] ?? beginning, next]);

describe('a trial on a cluster', () => {
  test.prop([history, tries])('that has ended stays as it ended', (all, most) => {
    for (const [before, next] of pairs(course(all, most)))
      if (before.tag === 'ended') expect(next).toBe(before);
  });

  test.prop([history, tries])('loses no more jobs than it may, and counts each once', (all, most) => {
    for (const [before, next] of pairs(course(all, most))) {
      if (next.tag === 'ended' || before.tag === 'ended') continue;
      expect(next.lost).toBeLessThan(most);
      expect(next.lost - before.lost).toBeGreaterThanOrEqual(0);
      expect(next.lost - before.lost).toBeLessThanOrEqual(1);
    }
  });

  test.prop([history, tries])('ends well with its result, wherever it was', (all, most) => {
    const last = course(all, most).at(-1) ?? beginning;
    const ended = after(last, { tag: 'result' }, { folder: 'f', tries: most, turns: Infinity });
    expect(ended.tag).toBe('ended');
    if (last.tag !== 'ended') expect(ended).toEqual({ tag: 'ended', problems: [] });
  });

  test.prop([tries])(
    'fails with the job that it may not lose any more, and says how many it lost',
    (most) => {
      const lose: readonly Happening[] = [
        { tag: 'submitted', id: 'a' },
        { tag: 'seen', state: { tag: 'ended', why: 'a node that died', cause: 'lost' }, now: 0 },
      ];
      const known = course(Array.from({ length: most }, () => lose).flat(), most);
      expect(known.slice(0, -1).every(({ tag }) => tag !== 'ended')).toBe(true);
      const found = most === 1 ? 'a node that died' : `a node that died, ${most} times`;
      expect(known.at(-1)).toMatchObject({ tag: 'ended', problems: [{ path: 'f', found }] });
    },
  );

  test.prop([fc.array(fc.constantFrom('refused', 'unplaced'), { minLength: 1, maxLength: 40 })])(
    'that a full cluster turns away comes again, later each time up to a minute, and loses nothing by it',
    (ways) => {
      let attempt: Attempt = beginning;
      let times = 0;
      for (const way of ways) {
        const limits = { folder: 'f', tries: 1, turns: Infinity };
        if (way === 'unplaced') attempt = after(attempt, { tag: 'submitted', id: 'a' }, limits);
        attempt =
          way === 'refused'
            ? after(attempt, { tag: 'refused', problems, busy: true, now: 5 }, limits)
            : after(
                attempt,
                { tag: 'seen', state: { tag: 'ended', why: 'x', cause: 'unplaced' }, now: 5 },
                limits,
              );
        times += 1;
        expect(attempt).toEqual({ tag: 'ready', after: 5 + backOff(times), lost: 0, turnedAway: times });
      }
      expect(backOff(times)).toBeLessThanOrEqual(60_000);
      expect(backOff(times + 1)).toBeGreaterThanOrEqual(backOff(times));
    },
  );

  test.prop([tries, fc.boolean()])(
    'that may be turned away so many times fails the next time',
    (turns, isLate) => {
      const limits = { folder: 'f', tries: 1, turns };
      const refused = (attempt: Attempt): Attempt =>
        after(attempt, { tag: 'refused', problems, busy: true, now: 0 }, limits);
      const known = Array.from({ length: turns }).reduce<Attempt>(refused, beginning);
      expect(known.tag).toBe('ready');
      expect(refused(known)).toEqual({ tag: 'ended', problems });
      // One that waited for a place until it was too long has waited enough.
      const state: JobState = { tag: 'ended', why: 'no room', cause: isLate ? 'unplaced' : 'unfit' };
      const submitted = after(beginning, { tag: 'submitted', id: 'a' }, limits);
      const late = after(submitted, { tag: 'seen', state, now: 0 }, limits);
      expect(late).toMatchObject({ tag: 'ended', problems: [{ found: 'no room' }] });
    },
  );

  test.prop([history, tries])('is never submitted anew while a job of it is there', (all, most) => {
    for (const [before, next] of pairs(course(all, most)))
      if (before.tag === 'submitted' && next.tag === 'ready')
        expect(next.lost + next.turnedAway).toBeGreaterThan(before.lost);
  });

  test.prop([fc.nat({ max: 10_000 })])('leaves few waiting beside those that run', (running) => {
    expect(mayWait(running)).toBeGreaterThanOrEqual(4);
    expect(mayWait(running)).toBeLessThanOrEqual(Math.max(4, running / 4 + 1));
  });
});
