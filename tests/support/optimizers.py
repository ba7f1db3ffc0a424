"""Optimizers that make Adam's updates, and some that make others."""

import keras


class MyAdam(keras.optimizers.Adam):
    """What a user derives from Adam may have other mathematics."""


ADAMS = {
    "adam": lambda: keras.optimizers.Adam(1e-2),
    "other numbers": lambda: keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "adamw": lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(1e-2, global_clipnorm=0.1),
    "averaged": lambda: keras.optimizers.Adam(1e-2, use_ema=True),
    "accumulated": lambda: keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2),
    "scheduled": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 8)),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2)),
}
OTHERS = {
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "nadam": keras.optimizers.Nadam,
    "sgd": keras.optimizers.SGD,
    "of a user": MyAdam,
}
