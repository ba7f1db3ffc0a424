"""Settings of the whole suite, made before any framework is imported."""

import importlib.util
import os
import tempfile

# Unless told otherwise the suite runs where nothing is compiled, and takes a third of the time.
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
from workers import TESTS  # noqa: E402

if keras.config.backend() == "torch":
    import torch

    torch.set_num_threads(1)


# `-m "not once"` leaves out, on all backends but one, what knows no backend, and of a test with
# several parameters all but the first: what compiles takes three times as long to test.
_WITHOUT_BACKEND = (
    "cli",
    "datasets",
    "hostile_files_test.py",
    "house_test.py",
    "plotting",
    "presets",
    "publish_test.py",
    "recipes",
    "wheel_test.py",
)
# What runs everything of a kind over every promise of the kind, though, runs on every backend.
_EVERY_CASE = (
    "bad_input_test.py",
    "conformance_test.py",
    "distributions/base_test.py",
    "layers/quantizer_test.py",
    "priors/prior_test.py",
    "steps",
)


def pytest_collection_modifyitems(items):
    begun = set()
    for item in items:
        path = item.path.relative_to(TESTS)
        further = item.nodeid.partition("[")[0] in begun
        begun.add(item.nodeid.partition("[")[0])
        if path.parts[0] in _WITHOUT_BACKEND or (
            further and path.parts[0] not in _EVERY_CASE and path.as_posix() not in _EVERY_CASE
        ):
            item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def _same_start():
    """Every test begins with the same global seed and dtype policy, whatever ran before."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
