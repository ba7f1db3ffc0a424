"""The house itself: who imports whom, a twin test a file, a docstring for each public name.

Each test loops over all files and names every offender.
"""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_vae

pytestmark = pytest.mark.one_backend

PACKAGE = Path(keras_vae.__file__).parent
TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
FRAMEWORKS = {"tensorflow", "jax", "torch"}

# Room -> rooms it may import, beside the ground floor. Nothing else, so no circles.
ARROWS = {
    "distributions": set(),
    "datasets": set(),
    "plotting": set(),
    "presets": set(),
    "steps": {"layers"},
    "metrics": set(),
    "layers": set(),
    "conditions": {"layers"},
    "likelihoods": {"distributions"},
    "quantizers": {"distributions"},
    "priors": {"distributions", "layers"},
    "networks": {"layers"},
    "evaluation": {"distributions", "metrics"},
    "callbacks": {"evaluation", "plotting"},
    "codecs": {"distributions"},
    "explorer": {"conditions", "evaluation", "plotting"},
    "models": {
        "codecs",
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
    "estimators": {"likelihoods", "models", "networks", "priors"},
    "cli": {
        "codecs",
        "conditions",
        "datasets",
        "evaluation",
        "explorer",
        "models",
        "plotting",
        "presets",
        "priors",
        "recipes",
    },
    "recipes": {
        "callbacks",
        "codecs",
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


def relative(path):
    return path.relative_to(PACKAGE).as_posix()


TREES = {relative(path): ast.parse(path.read_text()) for path in SOURCES}


def imported_modules(tree):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_rooms_import_only_what_they_may():
    assert set(ROOMS) <= set(ARROWS)
    offenders = []
    for file, tree in TREES.items():
        if file == "__init__.py":
            continue
        room = file.split("/")[0]
        allowed = ARROWS.get(room, set()) | {room, "__version__"} | GROUND_FLOOR
        for module in imported_modules(tree):
            if module.startswith("keras_vae.") and module.split(".")[1] not in allowed:
                offenders.append(f"{file} imports {module}")
    assert not offenders


def test_only_the_steps_import_a_framework():
    offenders = [
        f"{file} imports {module}"
        for file, tree in TREES.items()
        for module in imported_modules(tree)
        if module.split(".")[0] in FRAMEWORKS and not file.startswith("steps/")
    ]
    assert not offenders


def test_every_file_has_a_twin_test():
    twins = {
        relative(path): (TESTS / path.relative_to(PACKAGE)).with_name(f"{path.stem}_test.py")
        for path in SOURCES
        if path.name != "__init__.py"
    }
    assert not [f"{file} has no {twin}" for file, twin in twins.items() if not twin.is_file()]


def test_no_file_is_called_utils():
    assert not [file for file in TREES if "util" in file.rpartition("/")[2]]


def public_objects():
    for module in [keras_vae, *(getattr(keras_vae, r) for r in ROOMS if hasattr(keras_vae, r))]:
        for name, value in vars(module).items():
            is_ours = getattr(value, "__module__", "").startswith("keras_vae")
            is_code = inspect.isclass(value) or inspect.isfunction(value)
            if is_ours and is_code and not name.startswith("_"):
                yield f"{module.__name__}.{name}", value


def test_public_names_and_methods_are_documented():
    bare = []
    for path, value in public_objects():
        if not value.__doc__:
            bare.append(path)
        for name, member in vars(value).items() if inspect.isclass(value) else ():
            is_public_method = inspect.isfunction(member) and not name.startswith("_")
            inherited = is_public_method and any(hasattr(b, name) for b in value.__mro__[1:])
            if is_public_method and not member.__doc__ and not inherited:
                bare.append(f"{path}.{name}")
    assert not bare, f"no docstring: {bare}"


def public_functions(tree):
    """Functions and methods that others may call, and constructors of public classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        elif isinstance(node, ast.FunctionDef) and re.match(r"__init__$|[^_]", node.name):
            yield node


def test_public_functions_are_annotated():
    bare = []
    for path in SOURCES:
        for function in public_functions(ast.parse(path.read_text())):
            arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
            untyped = [
                a.arg for a in arguments if not a.annotation and a.arg not in ("self", "cls")
            ]
            if untyped or (function.returns is None and function.name != "__init__"):
                bare.append(f"{relative(path)}:{function.lineno} {function.name}{untyped}")
    assert not bare, f"no annotations: {bare}"


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


def is_private(name):
    return re.fullmatch(r"_[a-z]\w*", name) is not None


def members_made_by(tree):
    """Names of methods, and of attributes that are assigned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (n.name for n in node.body if isinstance(n, ast.FunctionDef))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def functions_made_by(tree):
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def replaces_or_calls(node, name, tree, own):
    """Whether a private name is Keras' here: one of `super()`, or one that we give to nothing."""
    of = getattr(node, "value", None)
    if isinstance(of, ast.Call) and getattr(of.func, "id", None) == "super":
        return True
    return name not in own | functions_made_by(tree)


def private_keras_names_used():
    """`{name: files}`: what is private in Keras, whatever the backend, and used or replaced here.

    Attributes, and texts, which `getattr` and the allowed modules of presets are written with.
    """
    sources = (Path(keras.__file__).parent / "src").rglob("*.py")
    kerases = {name for path in sources for name in members_made_by(ast.parse(path.read_text()))}
    own = {name for tree in TREES.values() for name in members_made_by(tree)}
    used = {}
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = node.attr
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value
            else:
                continue
            if re.match(r"keras\.src\b", name):
                used.setdefault("keras.src", set()).add(file)
            elif is_private(name) and name in kerases and replaces_or_calls(node, name, tree, own):
                used.setdefault(name, set()).add(file)
        for module in imported_modules(tree):
            if module.startswith("keras.src"):
                used.setdefault("keras.src", set()).add(file)
    for path, value in public_objects():
        for base in value.__mro__ if inspect.isclass(value) else ():
            if base.__module__.startswith("keras."):
                for name in filter(is_private, vars(base).keys() & names_of_ours(value)):
                    used.setdefault(name, set()).add(path)
    return used


def names_of_ours(value):
    """Names in the bodies of a class and those of its bases that are ours."""
    ours = [base for base in value.__mro__ if base.__module__.startswith("keras_vae")]
    return {name for base in ours for name in vars(base)}


def test_private_names_of_keras_are_listed_with_a_reason():
    text = (CHECKOUT / "CONTRIBUTING.md").read_text()
    section = text[text.index("## Private names of Keras") :].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `([\w.]+)` \| (.*\S) \|$", section, flags=re.MULTILINE))
    used = private_keras_names_used()
    unlisted = {name: sorted(files) for name, files in used.items() if name not in listed}
    assert not unlisted, f"used and not in CONTRIBUTING.md: {unlisted}"
    assert not listed.keys() - used.keys(), "listed in CONTRIBUTING.md and not used any more"


def test_the_citation_is_of_this_version():
    text = (CHECKOUT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.*)$", text, flags=re.MULTILINE) == [keras_vae.__version__]
