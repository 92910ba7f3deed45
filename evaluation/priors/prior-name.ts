/** Where codes of new examples are drawn: N(0, I), or what is fitted to the codes of the training examples. */
export const priorNames = ['standard', 'gaussian', 'mixture'] as const;

export type PriorName = (typeof priorNames)[number];
