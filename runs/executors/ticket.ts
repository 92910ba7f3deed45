/**
 * The ticket of a trial: which job of which cluster it is. It lies in the trial's folder and holds there: a job whose folder names another
 * job, or none, ends itself. So no two jobs go on in one folder, also where a cluster has lost sight of one of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { optional, struct } from '../../dsl/codec/codec.js';
import { nonEmptyString } from '../../dsl/codec/primitive.js';
import type { Problem } from '../../dsl/index.js';
import { tidied } from '../../backends/places.js';
import { writeWhole } from '../records/whole-file.js';
import { trialFiles } from './executor.js';

export type Ticket = {
  /** Which cluster, without anything that would let one in. */
  readonly cluster: string;
  /** What the job is told of itself. */
  readonly name: string;
  /** What the cluster calls the job; absent where it was not yet submitted. */
  readonly id?: string | undefined;
};

const ticket = struct('the job of a trial', {
  cluster: nonEmptyString,
  name: nonEmptyString,
  id: optional(nonEmptyString),
});

const pathOf = (folder: string): string => join(folder, trialFiles.ticket);

/** The ticket in a folder; undefined where there is none, on the left where it cannot be told. */
export const readTicket = (folder: string): Either<string, Ticket | undefined> => {
  try {
    const decoded = ticket.decode(JSON.parse(readFileSync(pathOf(folder), 'utf8')));
    return isLeft(decoded) ? right(undefined) : right(decoded.right);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'ENOENT' ? right(undefined) : left(code);
  }
};

export const writeTicket = (folder: string, one: Ticket): Either<readonly Problem[], string> =>
  writeWhole(pathOf(folder), `${JSON.stringify(ticket.encode({ ...one, id: one.id }))}\n`);

/** The job that has it ends itself. */
export const withdrawTicket = (folder: string): void => tidied(pathOf(folder));

/** Whether a job may go on: its folder does not name another one. A folder that cannot be read at the moment says nothing. */
export const holdsTicket = (folder: string, name: string): boolean => {
  const found = readTicket(folder);
  return isLeft(found) || found.right?.name === name;
};
