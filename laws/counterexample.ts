/** A law that fails, as words and as TypeScript that can be pasted and fails again. */
import { importsFor, literal, record } from '../dsl/printing/source/text.js';
import { sourceOf } from '../dsl/printing/source/source.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { askedOf, isInMean, settingOf } from './comparison.js';
import type { Claim, Side } from './laws.js';
import { type Behaviour, calculationOf } from './meaning.js';
import { inputsIn, type World } from './world.js';

/** More numbers than that are made again from the seed. */
const MOST = 2000;

/** The world with the numbers that the claim's expressions take, all but the draws of a claim in mean. */
const written = (claim: Claim, behaviour: Behaviour, world: World): World => {
  const { seed, step } = world;
  const isMean = claim.tag !== 'gradient' && isInMean(claim);
  const setting = settingOf(claim, behaviour, world.batch);
  const calculation = calculationOf(askedOf(claim), setting.behaviour, setting.batch);
  const inputs = isLeft(calculation) ? '' : inputsIn(calculation.right, world);
  if (isLeft(calculation) || typeof inputs === 'string') return world;
  const drawn = new Set(calculation.right.draws.map(({ name }) => name));
  const asked = [...inputs].filter(([name]) => name !== 'step' && !(isMean && drawn.has(name)));
  const count = asked.reduce((sum, [, values]) => sum + values.length, 0);
  if (count > MOST) return world;
  const readsStep = inputs.has('step') || drawn.size > 0;
  return {
    ...(isMean || claim.tag === 'gradient' ? { seed } : {}),
    ...(readsStep && step !== 0 ? { step } : {}),
    ...(setting.batch === 1 ? {} : { batch: setting.batch }),
    values: Object.fromEntries(asked.map(([name, values]) => [name, [...values]])),
  };
};

const sideText = (side: Side, text: string): string =>
  typeof side === 'number' ? String(side) : side.tag === 'inMean' ? `inMean(${text})` : text;

/** The claim as a call of a law. */
const claimText = (claim: Claim, first: string, second: string): string => {
  if (claim.tag === 'gradient')
    return `gradientsAgree(${[first, ...(claim.tolerance === 1e-5 ? [] : [String(claim.tolerance)])].join(', ')})`;
  const tolerance = claim.tolerance === 1e-9 ? [] : [String(claim.tolerance)];
  const parts = [sideText(claim.left, first), sideText(claim.right, second), ...tolerance];
  return `${claim.tag === 'equal' ? 'equal' : 'upperBounds'}(${parts.join(', ')})`;
};

const lawWords = ['check', 'equal', 'gradientsAgree', 'inMean', 'upperBounds'] as const;

/** A module that checks the one claim at the one world. */
export const counterexampleText = (claim: Claim, behaviour: Behaviour, world: World): string => {
  const [first, second] = claim.tag === 'gradient' ? ['loss', ''] : claim.names;
  const sides = Object.entries(askedOf(claim)).map(
    ([side, node]) => [side === 'left' ? first : second, node] as const,
  );
  const named = sides.filter(([name]) => name !== second || !isNumber(claim));
  const { declarations, expressions } = sourceOf(Object.fromEntries(named), [], [...lawWords, first, second]);
  const consts = Object.entries(expressions).map(([name, text]) => `const ${name} = ${text};`);
  const at = literal(written(claim, behaviour, world));
  const options = record([
    ['at', at],
    ...(behaviour === 'evaluation' ? [] : [['behaviour', `'${behaviour}'`] as const]),
  ]);
  const checked = `check(${claimText(claim, first, second)}, ${options});`;
  const body = [...declarations, ...consts, '', checked].join('\n');
  const used = lawWords.filter((word) => new RegExp(`\\b${word}\\(`).test(checked));
  return `${importsFor(body)}import { ${used.join(', ')} } from 'immersion/laws';\n\n${body}\n`;
};

const isNumber = (claim: Claim): boolean => claim.tag !== 'gradient' && typeof claim.right === 'number';
