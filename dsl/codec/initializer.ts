/** Initializers. */
import * as t from 'io-ts/lib/index.js';
import type { Initializer } from '../layers/initializer.js';
import type { Rows } from './codec.js';
import { struct, tagged } from './codec.js';
import { finite, positiveNumber } from './primitive.js';

const name = 'an initializer';

const rows: Rows<Initializer> = {
  zeros: struct(name, { tag: t.literal('zeros') }),
  ones: struct(name, { tag: t.literal('ones') }),
  constant: struct(name, { tag: t.literal('constant'), value: finite }),
  normal: struct(name, { tag: t.literal('normal'), stddev: positiveNumber }),
  uniform: struct(name, { tag: t.literal('uniform'), limit: positiveNumber }),
  glorotUniform: struct(name, { tag: t.literal('glorotUniform') }),
  heNormal: struct(name, { tag: t.literal('heNormal') }),
  orthogonal: struct(name, { tag: t.literal('orthogonal') }),
};

export const initializerCodec = tagged<Initializer>(name, rows);
