"""The numbers of a run, measured by the program that writes them."""

import datetime
import os
import platform
import sys
import time

import keras
import numpy as np

import keras_vae
from keras_vae import evaluation
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models import AutoregressiveModel
from keras_vae.models import LatentVariableModel
from keras_vae.models import Predictor
from keras_vae.models import QuantizedModel


def measure(model, pairs, evaluation_config, verbose=1):
    """Returns the metrics of a trained model on test data.

    Args:
        model: a trained model.
        pairs: tuple, what `model.evaluate` takes: `(x,)` or `(x, y)`, the examples as the
            likelihood takes them (binarised, say).
        evaluation_config: dict with `num_samples` and `seed`, from the recipe.
        verbose: 1 shows progress.

    Returns:
        dict: the model's own metrics, in nats per example; where it has a likelihood, `nll` with
        `nll_standard_error` over examples and `nll_bits_per_dim`, or of a model of codes the
        bound on it; where its posterior is
        Gaussian, `active_units`; and what they were measured with.
    """
    if not model.compiled:  # read from a preset
        model.compile()
    logs = model.evaluate(*pairs, batch_size=100, return_dict=True, verbose=0)
    return {
        **{name: logs[name] for name in model.trackers},
        "num_examples": len(pairs[0]),
        **_likelihood(model, pairs, evaluation_config, verbose),
        **_units(model, *pairs),
    }


def _likelihood(model, pairs, config, verbose):
    started = time.perf_counter()
    settings = {"num_samples": config.get("num_samples", 1000), "seed": config.get("seed", 0)}
    if isinstance(model, QuantizedModel):
        return _summary("nll_bound", -model.log_likelihood(*pairs), model.data_shape)
    if isinstance(model, Predictor | AutoregressiveModel):  # exactly
        nll, settings["num_samples"] = -model.log_likelihood(*pairs), 1
    else:
        x, condition = pairs if len(pairs) > 1 else (*pairs, None)
        options = {**settings, "condition": condition}
        try:
            nll = -evaluation.log_likelihood(model, x, **options, verbose=verbose)
        except NotImplementedError:  # an autoencoder, adversarial or not
            return {}
    shape = model.data_shape if not isinstance(model, Predictor) else pairs[1].shape[1:]
    return {
        **_summary("nll", nll, shape),
        "nll_num_samples": settings["num_samples"],
        "nll_seconds": round(time.perf_counter() - started, 1),
    }


def _summary(name, nats, shape):
    """Mean of nats (N,), its standard error, and bits per dimension of data of a shape."""
    return {
        name: float(nats.mean()),
        f"{name}_standard_error": float(nats.std(ddof=1) / np.sqrt(len(nats))),
        f"{name}_bits_per_dim": float(evaluation.bits_per_dim(nats.mean(), shape)),
    }


def _units(model, x, condition=None):
    if not isinstance(model, LatentVariableModel):
        return {}
    posterior = model.encode(x[:1], None if condition is None else condition[:1])
    is_hierarchy = isinstance(posterior, list)
    if not is_hierarchy and not isinstance(posterior, DiagonalGaussian):
        return {}
    active = evaluation.active_units(model, x, condition=condition)
    levels = active if is_hierarchy else [active]
    counts, sizes = [int(a.sum()) for a in levels], [a.size for a in levels]
    if not is_hierarchy:
        (counts,), (sizes,) = counts, sizes
    return {"active_units": counts, "latent_dim": sizes}


def environment():
    """Returns what a number depends on besides the recipe: versions, backend, processor, date."""
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
    except AttributeError:  # not on every system
        return os.cpu_count()


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
