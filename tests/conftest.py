"""Settings of the whole suite, made before any framework is imported."""

import importlib.util
import os
import tempfile

# By default the suite runs on the backend that compiles nothing, in a third of the time.
if importlib.util.find_spec("torch"):
    os.environ.setdefault("KERAS_BACKEND", "torch")

# Tests are small and machines shared: threads that wait for each other cost far more than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# JAX compiles the same small programs again for every model and every process of a run.
_compiled = tempfile.TemporaryDirectory(prefix="keras_vae_compiled_")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _compiled.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # they cost more than they save here
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")  # which compile slowly

import keras_vae  # noqa: E402, F401  settles the backend before Keras is imported

# isort: split
import keras  # noqa: E402
import pytest  # noqa: E402

if keras.config.backend() == "torch":
    import torch

    torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the tests marked `slow` too")


def pytest_collection_modifyitems(config, items):
    """Leaves out tests marked `slow`, unless `--all`, `-m` or their name asks for them; of a test
    marked `first_case_elsewhere`, marks all cases but the first as `one_backend`, and on JAX one
    marked `compiled_once`."""
    begun, is_jax = set(), keras.config.backend() == "jax"
    for item in items:
        if is_jax and item.get_closest_marker("compiled_once"):
            item.add_marker(pytest.mark.one_backend)
        if item.get_closest_marker("first_case_elsewhere"):
            test = item.nodeid.partition("[")[0]
            if test in begun:
                item.add_marker(pytest.mark.one_backend)
            begun.add(test)
    is_named = any("::" in argument for argument in config.args)
    if config.getoption("--all") or is_named or "slow" in config.getoption("markexpr"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


@pytest.fixture(autouse=True)
def _same_start():
    """Every test begins with the same global seed and dtype policy, whatever ran before."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
