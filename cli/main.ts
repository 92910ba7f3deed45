/** The `immersion` command: a placeholder until its commands are written. */
const [command = 'help'] = process.argv.slice(2);

console.error(`immersion: the command ${command} is not written yet`);
process.exitCode = 1;
export {};
