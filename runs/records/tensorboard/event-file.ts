/**
 * TensorBoard's event files: records of a length, its checksum, an Event message and its checksum (tensorflow/core/lib/io/record_writer.h,
 * tensorflow/core/util/event.proto, framework/summary.proto).
 */
import { closeSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { makeFolder, openToWrite } from '../../../backends/places.js';
import { errorText, type Problem, problem } from '../../../dsl/problem.js';
import {
  bytesField,
  doubleField,
  doublesField,
  type Field,
  floatField,
  integerField,
  joined,
  messageField,
  textField,
} from './protobuf.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Castagnoli's polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const checksums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/** CRC-32C, turned and shifted as the format has it, so that a checksum of checksums is none. */
export const maskedChecksum = (bytes: Uint8Array): number => {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (checksums[(rest ^ byte) & 0xff] ?? 0) ^ (rest >>> 8);
  const crc = (rest ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** One message in its frame. */
export const framed = (message: Uint8Array): Uint8Array => {
  const head = new DataView(new ArrayBuffer(12));
  head.setBigUint64(0, BigInt(message.length), true);
  head.setUint32(8, maskedChecksum(new Uint8Array(head.buffer, 0, 8)), true);
  const tail = new DataView(new ArrayBuffer(4));
  tail.setUint32(0, maskedChecksum(message), true);
  return joined([new Uint8Array(head.buffer), message, new Uint8Array(tail.buffer)]);
};

export type Picture = {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 3 colour. */
  readonly channels: number;
  readonly png: Uint8Array;
};

/** A value of a summary under its tag. */
export const scalar = (tag: string, value: number): Field =>
  messageField(1, textField(1, tag), floatField(2, value));

export const picture = (tag: string, { height, width, channels, png }: Picture): Field =>
  messageField(
    1,
    textField(1, tag),
    messageField(
      4,
      integerField(1, height),
      integerField(2, width),
      integerField(3, channels),
      bytesField(4, png),
    ),
  );

const BINS = 30;

/** Equal bins between the least and the greatest number; what is not finite is left out. */
export const histogram = (tag: string, values: Float32Array): Field => {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const greatest = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const width = (greatest - least) / BINS || 1;
  const counts = new Array<number>(BINS).fill(0);
  for (const value of finite) {
    const bin = Math.min(BINS - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const isEmpty = finite.length === 0;
  return messageField(
    1,
    textField(1, tag),
    messageField(
      5,
      doubleField(1, isEmpty ? 0 : least),
      doubleField(2, isEmpty ? 0 : greatest),
      doubleField(3, finite.length),
      doubleField(
        4,
        finite.reduce((sum, value) => sum + value, 0),
      ),
      doubleField(
        5,
        finite.reduce((sum, value) => sum + value * value, 0),
      ),
      doublesField(
        6,
        counts.map((_, i) => (isEmpty ? 0 : least) + (i + 1) * width),
      ),
      doublesField(7, counts),
    ),
  );
};

export type EventFile = {
  /** Values of one step, made by `scalar`, `picture` and `histogram`. */
  readonly write: (step: number, values: readonly Field[]) => Checked<void>;
  /** What was written before is in the file. */
  readonly flush: () => Checked<void>;
  readonly close: () => void;
};

const SUMMARY = 5;
const SESSION_LOG = 7;
const START = 1;
/** Bytes that are held back, so that a step does not cost a call of the system. */
const HELD = 2 ** 16;

/**
 * A new file in a folder that TensorBoard reads as a run. `from` is the number of steps that a run goes on from: what
 * an earlier file has of later ones is forgotten then.
 */
export const openEventFile = (folder: string, from = 0): Checked<EventFile> => {
  const made = makeFolder(folder);
  if (made._tag === 'Left') return made;
  const seconds = Math.floor(Date.now() / 1000);
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${from}`);
  const failed = (error: unknown): Checked<never> =>
    left([problem(path, errorText(error), 'a file that can be written')]);
  try {
    const file = openToWrite(path);
    let held: Uint8Array[] = [];
    let bytes = 0;
    const flush = (): Checked<void> => {
      const all = joined(held);
      held = [];
      bytes = 0;
      try {
        for (let at = 0; at < all.length;) at += writeSync(file, all, at, all.length - at);
        return right(undefined);
      } catch (error) {
        return failed(error);
      }
    };
    const add = (step: number, ...fields: readonly Field[]): void => {
      const wall = doubleField(1, Date.now() / 1000);
      const record = framed(joined([wall, integerField(2, step), ...fields]));
      held.push(record);
      bytes += record.length;
    };
    add(0, textField(3, 'brain.Event:2'));
    if (from > 0) add(from + 1, messageField(SESSION_LOG, integerField(1, START)));
    return right({
      write: (step, values) => {
        add(step, messageField(SUMMARY, ...values));
        return bytes > HELD ? flush() : right(undefined);
      },
      flush,
      close: () => {
        flush();
        closeSync(file);
      },
    });
  } catch (error) {
    return failed(error);
  }
};
