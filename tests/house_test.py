"""The house itself: who imports whom, a twin test a file, a docstring for each public name."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import keras_vae

pytestmark = pytest.mark.one_backend

PACKAGE = Path(keras_vae.__file__).parent
TESTS = Path(__file__).parent
FRAMEWORKS = {"tensorflow", "jax", "torch"}

# Room -> rooms it may import, beside the ground floor. Nothing else, so no circles.
ARROWS = {
    "distributions": set(),
    "datasets": set(),
    "plotting": set(),
    "presets": set(),
    "steps": set(),
    "metrics": set(),
    "layers": set(),
    "conditions": {"layers"},
    "likelihoods": {"distributions"},
    "quantizers": {"distributions"},
    "priors": {"distributions", "layers"},
    "networks": {"layers"},
    "evaluation": {"distributions", "metrics"},
    "callbacks": {"evaluation"},
    "models": {
        "conditions",
        "datasets",
        "distributions",
        "layers",
        "likelihoods",
        "metrics",
        "presets",
        "priors",
        "quantizers",
        "steps",
    },
    "cli": {"conditions", "datasets", "models", "plotting", "presets", "recipes"},
    "recipes": {
        "conditions",
        "datasets",
        "distributions",
        "evaluation",
        "layers",
        "likelihoods",
        "models",
        "networks",
        "plotting",
        "presets",
        "priors",
        "quantizers",
    },
}
# Files that any room may import, and that import no room.
GROUND_FLOOR = {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
ROOMS = sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists())
SOURCES = sorted(p for p in PACKAGE.rglob("*.py"))


def imported_modules(path):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def relative(path):
    return str(path.relative_to(PACKAGE))


def test_every_room_has_its_arrows():
    assert set(ROOMS) <= set(ARROWS)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_rooms_import_only_what_they_may(path):
    room = path.relative_to(PACKAGE).parts[0]
    if path == PACKAGE / "__init__.py":
        return
    allowed = ARROWS.get(room, set()) | {room, "__version__"} | GROUND_FLOOR
    for module in imported_modules(path):
        if module.startswith("keras_vae."):
            assert module.split(".")[1] in allowed, f"{room} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_only_the_steps_import_a_framework(path):
    found = {m.split(".")[0] for m in imported_modules(path)} & FRAMEWORKS
    assert not found or path.parent.name == "steps", f"{path.name} imports {found}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "__init__.py"], ids=relative)
def test_every_file_has_a_twin_test(path):
    if path.stem.endswith("_step"):  # only the running backend's can be imported
        twin = TESTS / "steps" / f"{path.stem}_test.py"
    else:
        twin = (TESTS / path.relative_to(PACKAGE)).with_name(f"{path.stem}_test.py")
    assert twin.is_file()


def public_objects():
    for module in [keras_vae, *(getattr(keras_vae, r) for r in ROOMS if hasattr(keras_vae, r))]:
        for name, value in vars(module).items():
            is_ours = getattr(value, "__module__", "").startswith("keras_vae")
            is_code = inspect.isclass(value) or inspect.isfunction(value)
            if is_ours and is_code and not name.startswith("_"):
                yield f"{module.__name__}.{name}", value


@pytest.mark.parametrize(
    "value", [pytest.param(v, id=k) for k, v in dict(public_objects()).items()]
)
def test_public_names_and_methods_are_documented(value):
    assert value.__doc__, "no docstring"
    if inspect.isclass(value):
        for name, member in vars(value).items():
            if name.startswith("_") or not inspect.isfunction(member):
                continue
            inherited = any(getattr(base, name, None) for base in value.__mro__[1:])
            assert member.__doc__ or inherited, f"{name} has no docstring"


def test_neither_import_nor_model_brings_another_framework_or_anything_heavy():
    code = (
        "import sys, keras; before = set(sys.modules); import keras_vae; "
        "keras_vae.VAE.from_preset('vae_mnist_mini'); "
        "new = {m.split('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new & {'tensorflow', 'jax', 'torch', 'matplotlib', 'PIL', "
        "'tensorflow_datasets', 'requests'}))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert output.stdout.strip().splitlines()[-1] == "[]"


def test_no_file_is_called_utils():
    assert not [p for p in SOURCES if "util" in p.stem]
