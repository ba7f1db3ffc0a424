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


def measure(model, x, evaluation_config, verbose=1):
    """Returns the metrics of a trained model on test data.

    Args:
        model: a trained `VAE`.
        x: array (N, S), the test examples as the likelihood takes them (binarised, say).
        evaluation_config: dict with `num_samples` and `seed`, from the recipe.
        verbose: 1 shows progress.

    Returns:
        dict: `elbo`, `reconstruction`, `kl` and `nll` in nats per example, `nll_standard_error`
        over examples, `nll_bits_per_dim`, `active_units`, and what they were measured with.
    """
    num_samples = evaluation_config.get("num_samples", 1000)
    seed = evaluation_config.get("seed", 0)
    if not model.compiled:  # read from a preset
        model.compile()
    logs = model.evaluate(x, batch_size=100, return_dict=True, verbose=0)
    started = time.perf_counter()
    nll = -evaluation.log_likelihood(model, x, num_samples, seed=seed, verbose=verbose)
    return {
        "elbo": logs["elbo"],
        "reconstruction": logs["reconstruction"],
        "kl": logs["kl"],
        "nll": float(nll.mean()),
        "nll_standard_error": float(nll.std(ddof=1) / np.sqrt(len(nll))),
        "nll_bits_per_dim": float(evaluation.bits_per_dim(nll.mean(), x.shape[1:])),
        "nll_num_samples": num_samples,
        "nll_seconds": round(time.perf_counter() - started, 1),
        "num_examples": len(x),
        "active_units": int(evaluation.active_units(model, x).sum()),
        "latent_dim": int(np.prod(model.encode(x[:1]).shape[1:])),
    }


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
