"""What differs between recipes of one kind of data and of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from keras_vae.datasets import Batches
    from keras_vae.datasets.splits import Arrays
    from keras_vae.datasets.splits import Splits
    from keras_vae.models import GenerativeModel
    from keras_vae.recipes.recipe import Recipe


class Kind:
    """A kind of data: how they are loaded and batched, what a model is told of them before it is
    built, and what of it is shown.

    A subclass overrides what is not said here, and stands in `KINDS`. Recipes and cards ask it, and
    nothing else, what kind of data there is. What needs Keras is imported where it is used: cards
    are also written, and recipes read, without it.

    Attributes:
        keys: What `[data]` may say beside `name` and `kind`.
        likelihood: String, the class of the likelihood where a recipe names none, or `None` where
            the families of this kind bring their own.
        of_density: String, what a card says of nats that are those of a density.
    """

    keys: frozenset[str] = frozenset()
    likelihood: str | None = None
    of_density = ""

    def load(self, recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
        """Returns the `Splits` of a recipe, the test part as its likelihood takes it.

        Raises:
            ValueError, FileNotFoundError, ImportError: If there are no such data.
            OSError: If they cannot be downloaded or read.
        """
        raise NotImplementedError

    def batches(self, recipe: Recipe, data: Splits, seed: int) -> Batches:
        """Returns the `Batches` of the training part of `data`."""
        raise NotImplementedError

    def pairs(self, recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
        """Returns what `evaluate` takes of the `Arrays` of one part: `(x,)` or `(x, y)`.

        Args:
            recipe: `Recipe`.
            arrays: `Arrays`.
            num_seen: Integer, of pictures to complete how many quadrants are seen, or `None`.
        """
        return (arrays.x,)

    def given(self, data: Splits) -> dict[str, Any]:
        """Returns arguments of constructors that follow from the data, beside the shape of one
        example: each part of a recipe's model receives those that it takes."""
        return {}

    def show(self, model: GenerativeModel, recipe: Recipe, test: Arrays, folder: Path) -> None:
        """Writes into `folder` what a card shows of a trained model."""

    def task(self, recipe: Recipe) -> str:
        """Returns how model hubs name what such a model does."""
        raise NotImplementedError

    def samples(self, recipe: Recipe, folder: Path) -> str:
        """Returns the part of a card that shows samples, or "" where there are none."""
        return ""

    def reconstructions(self, folder: Path) -> str:
        """Returns the part of a card that shows what a model makes of test examples, or ""."""
        return ""

    def is_local(self, recipe: Recipe) -> bool:
        """Whether the data are files that lie in the user's own folder."""
        return recipe.data["name"].endswith(".npz")

    def description(self, recipe: Recipe) -> str:
        """Returns what a card says of how the data were used, or ""."""
        return ""

    def loading(self, recipe: Recipe) -> list[str]:
        """Returns lines of Python that load test data, as `x` and perhaps labels `y`."""
        raise NotImplementedError

    def uses(self, recipe: Recipe) -> list[str]:
        """Returns lines of Python that use a `model` on what `loading` has loaded."""
        raise NotImplementedError


def scores(family: Any, x: str, condition: str | None = None) -> str:
    """Returns the line of Python that prints how well a family's `model` explains x."""
    told = f", condition={condition}" if condition else ""
    if family.log_likelihood_is is None:
        given = f"{x}, {condition}" if condition else x
        return f"print(model.evaluate({given}, verbose=0, return_dict=True))"
    if family.log_likelihood_is == "estimate":
        told = f"{told}, num_samples=100, seed=0"
    return f"print(model.log_likelihood({x}{told}).mean())  # nats"
