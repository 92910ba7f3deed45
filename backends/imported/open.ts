/** Opens the graphs that users hand over to score samples with, by what lies at a path. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { left } from 'fp-ts/lib/Either.js';
import { problem } from '../../dsl/problem.js';
import type { Opened } from './imported-graph.js';
import { openOnnx } from './onnx.js';
import { openSavedModel } from './imported-saved-model.js';

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

/** An `.onnx` file, or the folder of a SavedModel or of a tfjs GraphModel. */
export const openGraph = async (path: string): Promise<Opened> => {
  if (/\.onnx$/i.test(path) && (await isFile(path))) return openOnnx(path);
  if (await isFile(join(path, 'saved_model.pb'))) return openSavedModel(path);
  if (await isFile(join(path, 'model.json'))) {
    // With tfjs, which takes a quarter of a second to load.
    const { openGraphModel } = await import('./imported-graph-model.js');
    return openGraphModel(path);
  }
  return left([
    problem(path, 'no graph', 'an .onnx file, or a folder that holds saved_model.pb or model.json'),
  ]);
};
