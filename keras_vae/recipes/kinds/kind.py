"""The base class of kinds of data, which covers the differences between their recipes."""

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
    """A kind of data: how they are loaded and batched, which constructor arguments follow from
    them, and what a card shows of a model.

    A subclass overrides these methods as needed, and is listed in `KINDS`. Recipes and cards depend
    on the kind of data only through it. Keras is imported only where it is used, because cards are
    also written, and recipes read, without it.

    Attributes:
        keys: The keys that `[data]` may have besides `name` and `kind`.
        likelihood: String, the class of the likelihood if a recipe names none, or `None` if the
            families for this kind have their own.
        of_density: String, the words on a card for nats of a density.
    """

    keys: frozenset[str] = frozenset()
    likelihood: str | None = None
    of_density = ""

    def load(self, recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
        """Returns the `Splits` of a recipe, with the test part as its likelihood takes it.

        Raises:
            ValueError, FileNotFoundError, ImportError: If there are no such data.
            OSError: If they cannot be downloaded or read.
        """
        raise NotImplementedError

    def batches(self, recipe: Recipe, data: Splits, seed: int) -> Batches:
        """Returns the `Batches` of the training part of `data`."""
        raise NotImplementedError

    def pairs(self, recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
        """Returns the arguments of `evaluate` for the `Arrays` of one part: `(x,)` or `(x, y)`.

        Args:
            recipe: `Recipe`.
            arrays: `Arrays`.
            num_seen: Integer, the number of visible quadrants of pictures to complete, or `None`.
        """
        return (arrays.x,)

    def given(self, data: Splits) -> dict[str, Any]:
        """Returns constructor arguments that follow from the data, besides the shape of one
        example: each part of a recipe's model receives those that it takes."""
        return {}

    def show(self, model: GenerativeModel, recipe: Recipe, test: Arrays, folder: Path) -> None:
        """Writes the files about a trained model that a card shows into `folder`."""

    def task(self, recipe: Recipe) -> str:
        """Returns the name of such a model's task on model hubs."""
        raise NotImplementedError

    def samples(self, recipe: Recipe, folder: Path) -> str:
        """Returns the part of a card that shows samples, or "" if there are none."""
        return ""

    def reconstructions(self, folder: Path) -> str:
        """Returns the part of a card that shows reconstructions of test examples, or ""."""
        return ""

    def is_local(self, recipe: Recipe) -> bool:
        """Whether the data are the user's own files."""
        return recipe.data["name"].endswith(".npz")

    def description(self, recipe: Recipe) -> str:
        """Returns the text of a card on how the data were used, or ""."""
        return ""

    def loading(self, recipe: Recipe) -> list[str]:
        """Returns lines of Python that load test data as `x`, and labels, if any, as `y`."""
        raise NotImplementedError

    def uses(self, recipe: Recipe) -> list[str]:
        """Returns lines of Python that use a `model` on the data from `loading`."""
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
