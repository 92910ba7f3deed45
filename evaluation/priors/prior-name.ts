/** Where codes of new examples are drawn: N(0, I), or what is fitted or trained on the codes of the training examples. */
export const priorNames = ['standard', 'gaussian', 'mixture', 'flow', 'matching'] as const;

export type PriorName = (typeof priorNames)[number];
