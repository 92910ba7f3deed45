"""Where optax's optimizers go in 50 steps: the figures that spec/compiler/optimizers is held to.

    python -m venv optax && optax/bin/pip install jax==0.10.2 optax==0.2.8
    optax/bin/python bench/references/optax_steps.py > spec/compiler/optimizers/optax.json
"""

import json

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

STEPS = 50
SHOWN = [1, 2, 3, 10, 25, 50]

START = {
    "p": jnp.array([0.7, -1.1, 0.4]),
    "w": jnp.array([[0.3, -0.2, 0.5], [-0.6, 0.8, 0.1], [0.25, 0.35, -0.45], [1.2, -0.9, 0.15]]),
}
TARGET = jnp.array([1.0, -0.5, 0.25, 0.75])


def loss(x):
    rest = x["w"] @ x["p"] - TARGET
    return jnp.sum(rest**2) / 2 + jnp.sum(x["p"] ** 4) / 4 + 0.05 * jnp.sum(x["w"] ** 4)


def only(name, transform):
    return optax.masked(transform, {key: key == name for key in START})


def frozen(name, transform):
    labels = {key: "frozen" if key == name else "free" for key in START}
    return optax.multi_transform({"frozen": optax.set_to_zero(), "free": transform}, labels)


def factored(least):
    """optax.adafactor, whose powers of the step are in single precision, in double."""
    return optax.chain(
        optax.scale_by_factored_rms(
            min_dim_size_to_factor=least,
            decay_rate_fn=lambda i, exponent: 1 - jnp.asarray(i + 1, jnp.float64) ** -exponent,
        ),
        optax.clip_by_block_rms(1.0),
        optax.scale_by_learning_rate(RATE),
        optax.scale_by_param_block_rms(),
    )


def in_double(schedule):
    """A schedule that counts steps in double precision, since a quotient of integers is in single."""
    return lambda count: schedule(jnp.asarray(count, jnp.float64))


def accumulated(k, transform):
    """optax.MultiSteps, which traces its transform and so takes powers in single precision, by hand."""
    zeros = jax.tree.map(jnp.zeros_like, START)

    def update(gradient, state, x):
        inner, mean, seen = state
        mean = jax.tree.map(lambda a, g: a + (g - a) / (seen + 1), mean, gradient)
        if seen + 1 < k:
            return zeros, (inner, mean, seen + 1)
        change, inner = transform.update(mean, inner, x)
        return change, (inner, zeros, 0)

    return optax.GradientTransformation(lambda x: (transform.init(x), zeros, 0), update)


RATE = 0.05
CASES = {
    "sgd": optax.sgd(RATE),
    "sgd with momentum": optax.sgd(RATE, momentum=0.9),
    "sgd with Nesterov": optax.sgd(RATE, momentum=0.9, nesterov=True),
    "adam": optax.adam(RATE),
    "adam of other numbers": optax.adam(RATE, b1=0.5, b2=0.9, eps=0.01),
    "adamW": optax.adamw(RATE, weight_decay=0.1),
    "adamW of one array": optax.adamw(RATE, weight_decay=0.1, mask={"p": False, "w": True}),
    "nadam": optax.nadam(RATE),
    "lion": optax.lion(RATE / 10, weight_decay=0.01),
    # At larger rates these go to and fro around the minimum, where the last digit decides the way.
    "rmsProp": optax.rmsprop(RATE / 10),
    "rmsProp, centred, with momentum": optax.rmsprop(RATE / 10, decay=0.8, centered=True, momentum=0.5),
    "adagrad": optax.adagrad(RATE),
    "adafactor": factored(2),
    "adafactor, not factored": factored(128),
    "clipped by norm": optax.chain(optax.clip_by_global_norm(0.5), optax.adam(RATE)),
    "clipped by value": optax.chain(optax.clip(0.2), optax.sgd(RATE, momentum=0.9)),
    "a rate of its own": optax.chain(
        optax.scale_by_adam(), only("p", optax.scale(0.1)), optax.scale_by_learning_rate(RATE)
    ),
    "frozen": frozen("w", optax.adam(RATE)),
    "accumulated": accumulated(3, optax.adam(RATE)),
    "lookahead": optax.lookahead(optax.adam(RATE), sync_period=4, slow_step_size=0.5),
    "a chain": optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b1=0.8),
        optax.add_decayed_weights(0.05),
        optax.trace(decay=0.5),
        optax.scale_by_learning_rate(RATE),
    ),
    "cosine": optax.adam(in_double(optax.cosine_decay_schedule(RATE, 40, alpha=0.1))),
    "warm-up and cosine": optax.adam(
        in_double(optax.warmup_cosine_decay_schedule(0.0, RATE, 10, 45, 0.001))
    ),
    "one cycle": optax.adam(in_double(optax.cosine_onecycle_schedule(50, 0.1))),
    "piecewise": optax.sgd(optax.piecewise_constant_schedule(RATE, {20: 0.1, 35: 0.5})),
}


def flat(x):
    return [float(v) for v in [*x["p"].ravel(), *x["w"].ravel()]]


def steps(transform, name):
    x = optax.LookaheadParams.init_synced(START) if name == "lookahead" else START
    state = transform.init(x)
    average = START
    shown = []
    for i in range(1, STEPS + 1):
        fast = x.fast if name == "lookahead" else x
        gradient = jax.grad(loss)(fast)
        update, state = transform.update(gradient, state, x)
        x = optax.apply_updates(x, update)
        fast = x.fast if name == "lookahead" else x
        average = optax.incremental_update(fast, average, 0.1)
        if i in SHOWN:
            shown.append({"step": i, "weights": flat(fast), **({"average": flat(average)} if name == "adam" else {})})
    return shown


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "made by": f"bench/references/optax_steps.py, optax {optax.__version__}, jax {jax.__version__}",
                "start": flat(START),
                "cases": {name: steps(transform, name) for name, transform in CASES.items()},
            },
            indent=None,
            separators=(",", ":"),
        )
    )
