/** What a trial asks of a node. */
export type Resources = {
  /** Cores. */
  readonly cpus: number;
  readonly gpus: number;
  /** In bytes; absent for what a trial is expected to take. */
  readonly memory: number | undefined;
};
