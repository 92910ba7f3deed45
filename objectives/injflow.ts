/** InjFlow, eq. (10), and InjFlow-ln, eq. (9), of Kumar, Poole and Murphy, Regularized Autoencoders via Relaxed Injective Probability Flow, AISTATS 2020. */
