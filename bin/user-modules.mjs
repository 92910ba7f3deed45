/** What modules of the user's need: TypeScript, and `immersion/…` from this installation. */
import { register } from 'node:module';

/** `program` is the folder of a program that was made of a checkout's sources; without it package.json says where `immersion/…` is. */
export const installResolver = (program) =>
  register('./resolve.mjs', { parentURL: import.meta.url, data: { program } });

export const prepareUserModules = async (program) => {
  await import('tsx');
  installResolver(program);
};
