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
    "tests/bad_input_test.py",
    "tests/conformance_test.py",
    "tests/distributions/base_test.py",
    "tests/quantizers/quantizer_test.py::test_the_gradient_of_z_q_reaches_z_e",
    "tests/quantizers/quantizer_test.py::test_training_and_evaluation_have_the_same_values",
    "tests/priors/prior_test.py",
    "tests/steps/",
)


def pytest_collection_modifyitems(items):
    begun = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        is_further = test in begun and not test.startswith(_EVERY_CASE)
        begun.add(test)
        if is_further or item.path.relative_to(TESTS).parts[0] in _WITHOUT_BACKEND:
            item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def _same_start():
    """Every test begins with the same global seed and dtype policy, whatever ran before."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
