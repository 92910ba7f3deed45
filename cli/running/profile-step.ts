/** Where the time of training steps goes: measured of a step alone, or said at the end of a run. */
import { type Compiled, elementCount } from '../../compiler/index.js';
import { profileText, type StepProfileResult } from '../explanation/profile.js';
import { say } from '../terminal/output.js';
import { columnsOf } from '../terminal/width.js';
import { type Backend, gatherProfile, initialState, type Profiled } from '../../runs/index.js';

const LEAST = 5;
const MILLISECONDS = 1000;

/** A step run for a second or so on numbers between 0 and 1; rejects with a `BackendFailure` where the backend cannot run it. */
export const profileStep = async (compiled: Compiled, backend: Backend): Promise<Profiled> => {
  const { step: program } = compiled;
  const state = new Map([...initialState(compiled, 0).arrays].map(([name, { data }]) => [name, data]));
  const feeds = new Map(
    program.binders
      .filter(({ name }) => !state.has(name))
      .map(({ name, kind, var: x }) => [
        name,
        kind === 'scalar'
          ? new Float32Array(1)
          : Float32Array.from(
              { length: elementCount(x.type, program.batch) },
              (_, i) => Math.sin(i * i + 1) ** 2,
            ),
      ]),
  );
  const instance = await backend.open(new Map([[program.name, program]]), state);
  try {
    const profile = gatherProfile();
    let began = performance.now();
    for (let run = 0; run <= LEAST || performance.now() - began < MILLISECONDS; run++) {
      // The first run makes ready what the others run.
      if (run === 1) began = performance.now();
      const start = performance.now();
      await instance.run(program.name, feeds, profile.part);
      profile.whole(performance.now() - start);
    }
    return profile.found();
  } finally {
    instance.dispose();
  }
};

/** Steps of the plan that are shown, the dearest. */
const SHOWN = 20;

export const sayProfile = (profile: StepProfileResult): void => {
  const columns = columnsOf(process.stderr);
  for (const line of profileText(profile, { columns, most: SHOWN }).split('\n')) say(line);
};
