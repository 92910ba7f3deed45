/** As much of protocol buffers as an event file takes: numbers, texts, bytes, messages and packed lists of doubles, by field number. */

/** The bytes of one field. */
export type Field = Uint8Array;

const WIRE = { varint: 0, double: 1, bytes: 2, float: 5 } as const;

/** A non-negative whole number, seven bits a byte, the lowest first. */
const varint = (value: number): Uint8Array => {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
};

const key = (field: number, wire: number): Uint8Array => varint(field * 8 + wire);

export const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const integerField = (field: number, value: number): Field =>
  joined([key(field, WIRE.varint), varint(value)]);

const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

export const doubleField = (field: number, value: number): Field =>
  joined([key(field, WIRE.double), doubles([value])]);

export const floatField = (field: number, value: number): Field =>
  joined([key(field, WIRE.float), new Uint8Array(Float32Array.of(value).buffer)]);

export const bytesField = (field: number, bytes: Uint8Array): Field =>
  joined([key(field, WIRE.bytes), varint(bytes.length), bytes]);

export const textField = (field: number, text: string): Field => bytesField(field, Buffer.from(text));

export const messageField = (field: number, ...fields: readonly Field[]): Field =>
  bytesField(field, joined(fields));

export const doublesField = (field: number, values: readonly number[]): Field =>
  bytesField(field, doubles(values));
