/** Where the time of a training step goes, as a table: the steps of its plan by the numbers that `explain --loops` gives them, the dearest first. */
import { costOf, type LoopTraffic, type Program, stepTitle, trafficOf } from '../../compiler/index.js';
import type { Backend, Profiled, ProfiledPart } from '../../runs/index.js';
import { USUAL_COLUMNS, wrapped } from '../terminal/width.js';
import { short, shortBytes } from './explanation-text.js';

/** A step of the plan as data. */
export type ProfiledStep = {
  readonly number: number;
  readonly what: string;
  /** Of a loop; null for a kernel, a routine, or a repetition whose rounds are not known. */
  readonly flops: number | null;
  readonly bytes: number | null;
  /** Mean over the training steps. */
  readonly milliseconds: number;
  /** Of a training step. */
  readonly share: number;
  readonly isShared: boolean;
};

/** The `--json` result. */
export type StepProfileResult = {
  readonly backend: string;
  /** What runs it and on what, in one line. */
  readonly description: string;
  readonly steps: number;
  readonly milliseconds: number;
  /** Of products and convolutions of a training step, as `explain` counts them. */
  readonly flops: number;
  /** By time. */
  readonly parts: readonly ProfiledStep[];
};

const traffic = ({ step }: ProfiledPart): LoopTraffic | undefined =>
  step.tag === 'loop' ? trafficOf(step.loop) : undefined;

export const profileResult = (
  { steps, milliseconds, parts }: Profiled,
  { name, description }: Pick<Backend, 'name' | 'description'>,
  program: Program,
): StepProfileResult => ({
  backend: name,
  description,
  steps,
  milliseconds,
  flops: costOf(program).flops,
  parts: parts
    .map((part): ProfiledStep => {
      const { flops = null, bytes = null } = traffic(part) ?? {};
      const { number, isShared } = part;
      const share = part.milliseconds / milliseconds;
      return {
        ...{ number, what: stepTitle(part.step), flops, bytes },
        ...{ milliseconds: part.milliseconds, share, isShared },
      };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds),
});

const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const time = (milliseconds: number): string =>
  milliseconds >= 100 ? milliseconds.toFixed(0) : milliseconds.toFixed(milliseconds >= 10 ? 1 : 4);

/** 10⁹ a second. */
const rate = (count: number | null, milliseconds: number): string => {
  if (count === null || count === 0 || milliseconds === 0) return '–';
  const giga = count / milliseconds / 1e6;
  return giga < 10 ? giga.toFixed(2) : giga.toFixed(giga < 100 ? 1 : 0);
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const widths = [8, 7, 7, 8, 6, 6, 7, 4];
const heads = ['ms', 'share', 'FLOP', 'bytes', 'GF/s', 'GB/s', 'threads', 'step'];

const lineOf = (cells: readonly string[], what: string, columns: number): string => {
  const line = `${cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join(' ')}  ${what}`.trimEnd();
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
};

/** The table for a terminal of so many columns, of at most so many steps of the plan. */
export const profileText = (
  { description, steps, milliseconds, flops: ofStep, parts }: StepProfileResult,
  { columns = USUAL_COLUMNS, most = Infinity }: { readonly columns?: number; readonly most?: number } = {},
): string => {
  const mean = `mean of ${steps} training steps on ${description}`;
  const whole = `${short(ofStep)}FLOP of products and convolutions at ${rate(ofStep, milliseconds)} GF/s`;
  if (parts.length === 0)
    return [
      `${time(milliseconds)} ms a step: ${whole}`,
      'it runs as a whole: the times of its parts cannot be told',
      mean,
    ]
      .flatMap((line) => wrapped(line, columns, 2))
      .join('\n');
  const shown = parts.slice(0, most);
  const rest = parts.slice(shown.length);
  const within = sumOf(parts.map((part) => part.milliseconds));
  const isCounted = parts.some((part) => part.flops !== null);
  const flops = sumOf(parts.map((part) => part.flops ?? 0));
  return [
    lineOf(heads, 'what', columns),
    ...shown.map(({ number, what, flops: own, bytes, milliseconds: taken, share, isShared }) =>
      lineOf(
        [
          ...[time(taken), percent(share), own === null ? '–' : short(own)],
          ...[bytes === null ? '–' : shortBytes(bytes), rate(own, taken), rate(bytes, taken)],
          ...[isShared ? 'all' : '1', String(number)],
        ],
        what,
        columns,
      ),
    ),
    ...(rest.length === 0
      ? []
      : [
          lineOf(
            [
              time(sumOf(rest.map((part) => part.milliseconds))),
              percent(sumOf(rest.map(({ share }) => share))),
            ],
            `${rest.length} others`,
            columns,
          ),
        ]),
    '',
    ...[
      `${parts.length} steps of the plan: ${time(within)} of ${time(milliseconds)} ms (${percent(within / milliseconds)}), ${isCounted ? `${short(flops)}FLOP at ${rate(flops, within)} GF/s` : `whose FLOPs and bytes are not counted; the whole step has ${whole}`}`,
      'the rest is the call, what is fed and what is read',
      mean,
    ].flatMap((line) => wrapped(line, columns, 2)),
  ].join('\n');
};
