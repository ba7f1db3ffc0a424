"""The numbers of a run: metrics of the model, and the environment they depend on."""

import datetime
import inspect
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_vae
from keras_vae import evaluation
from keras_vae.models import GenerativeModel
from keras_vae.terminal import is_live
from keras_vae.tokens import token_counts


def measure(
    model: GenerativeModel, pairs: tuple, evaluation_config: dict, verbose: int = 1
) -> dict:
    """Returns the metrics of a trained model on test data.

    Args:
        model: A trained model.
        pairs: Tuple, the arguments of `model.evaluate`: `(x,)` or `(x, y)`, with the examples in
            the form that the likelihood takes (such as binarised).
        evaluation_config: Dict with `num_samples` and `seed`, from the recipe.
        verbose: 1 shows progress on a terminal.

    Returns:
        Dict of the model's own metrics, in nats per example; if it has a likelihood, `nll`, or
        `nll_bound` if only a bound is known, with `nll_standard_error` over examples and, for
        discrete data, `nll_bits_per_dim`; if z is continuous, `active_units`; and the settings of
        the measurement.
    """
    if not model.compiled:  # loaded from a preset
        model.compile()
    logs = model.evaluate(*pairs, batch_size=100, return_dict=True, verbose=0)
    return {
        **{name: logs[name] for name in model.metrics_names if name != "loss"},
        "num_examples": len(pairs[0]),
        **_likelihood(model, pairs, evaluation_config, verbose),
        **_units(model, *pairs),
    }


def taken(function: Callable, **options: Any) -> dict:
    """Returns the options that a function takes, as these differ between families."""
    parameters = inspect.signature(function).parameters
    return {k: v for k, v in options.items() if k in parameters}


def _likelihood(model, pairs, config, verbose):
    if model.log_likelihood_is is None:
        return {}
    started, settings, num_samples = time.perf_counter(), {}, 1
    if model.log_likelihood_is == "estimate":
        num_samples = config.get("num_samples", 1000)
        settings = {"num_samples": num_samples, "seed": config.get("seed", 0)}
        settings |= taken(model.log_likelihood, verbose=int(verbose == 1 and is_live()))
    nll = -model.log_likelihood(*pairs, **settings)
    if model.log_likelihood_is == "bound":
        return _summary("nll_bound", nll, model, pairs[0])
    return {
        **_summary("nll", nll, model, pairs[0]),
        "nll_num_samples": num_samples,
        "nll_seconds": round(time.perf_counter() - started, 1),
    }


def _summary(name, nats, model, x):
    """Mean of nats (N,), its standard error, and bits per dimension, except for densities. For
    sequences, which have no fixed number of dimensions, the perplexity per token."""
    summary = {
        name: float(nats.mean()),
        f"{name}_standard_error": float(nats.std(ddof=1) / np.sqrt(len(nats))),
    }
    if None in (model.likelihood_shape or ()):
        num_tokens = float(np.sum(ops.convert_to_numpy(token_counts(x))))
        summary["token_perplexity"] = float(np.exp(nats.sum(dtype="float64") / num_tokens))
    elif not model.is_density:
        bits = evaluation.bits_per_dim(nats.mean(), model.likelihood_shape)
        summary[f"{name}_bits_per_dim"] = float(bits)
    return summary


def _units(model, x, condition=None):
    if model.encode_gives not in ("posterior", "posteriors"):
        return {}
    posterior = model.encode(x[:1], None if condition is None else condition[:1])
    is_hierarchy = model.encode_gives == "posteriors"
    if any(p.is_discrete for p in (posterior if is_hierarchy else [posterior])):
        return {}
    active = evaluation.active_units(model, x, condition=condition)
    levels = active if is_hierarchy else [active]
    counts, sizes = [int(a.sum()) for a in levels], [a.size for a in levels]
    if not is_hierarchy:
        (counts,), (sizes,) = counts, sizes
    return {"active_units": counts, "latent_dim": sizes}


def environment() -> dict:
    """Returns what numbers depend on besides the recipe: versions, backend, processor, date."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "backend": keras.config.backend(),
        "backend_version": sys.modules[keras.config.backend()].__version__,
        "keras": keras.version(),
        "keras_vae": keras_vae.__version__,
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": _cores(),
    }


def _cores():
    try:
        return len(os.sched_getaffinity(0))  # those this process may use
    except AttributeError:  # not available on every system
        return os.cpu_count()


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
