"""Recipes of pictures: binarised, with labels, or with some of their quadrants."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_vae.recipes.cards.markdown import picture
from keras_vae.recipes.kinds.kind import Kind
from keras_vae.recipes.kinds.kind import scores
from keras_vae.recipes.named_classes import can_sample
from keras_vae.recipes.named_classes import family_of

if TYPE_CHECKING:
    from keras_vae.datasets import Batches
    from keras_vae.datasets.splits import Arrays
    from keras_vae.datasets.splits import Splits
    from keras_vae.models import GenerativeModel
    from keras_vae.recipes.recipe import Recipe

NUM_ORIGINALS = 30
NUM_SAMPLES, NUM_COLUMNS = 80, 8
RECONSTRUCTIONS = "reconstructions.png"
# Values of `pairs` in a recipe's `[data]`: what the pairs consist of.
_OF_LABELS = ("labels", "prior_labels", "classes")
_PAIRS = {
    "labels": "pictures, given their labels",
    "prior_labels": "pictures, of whose codes the prior is given their labels",
    "classes": "labels, of pictures",
    "completion": "pictures, given some of their quadrants",
    "prediction": "the same, by a network that takes the quadrants and gives the picture",
}
_TASKS: dict = {
    "classes": "image-classification",
    "completion": "image-to-image",
    "prediction": "image-to-image",
}
_CAPTIONS = {
    None: "Means of p(x|z), with z sampled from the prior.",
    "labels": "Means of p(x|z, label), with z sampled from the prior; one row per label.",
    "prior_labels": "Codes sampled from the prior given a label, then decoded; one row per label.",
    "completion": "Eight completions of the visible quadrants of a test picture in each row.",
}
_ELEMENTS = "Pixels sampled one at a time, each given the ones before it."
_PAIRED = "Test pictures and, below each, its reconstruction."
_SEEN = "seen = keras_vae.datasets.seen_quadrants(x, num_seen=2)"  # the left half
_OF_LATENTS = {
    "posterior": "z = model.encode(x).mean",
    "posteriors": "z = model.encode(x)[0].mean",
    "codes": "indices = model.encode_indices(x)",
    "point": "z = model.encode(x)",
}


class Pictures(Kind):
    """Pictures, of any data set that `keras_vae.datasets.load` knows.

    With dynamic binarisation the training pictures stay grey, and `batches` draws from them; the
    test pictures are drawn once, so that their numbers can be reproduced.
    """

    keys = frozenset({"binarize", "validation_size", "image_size", "pairs"})
    likelihood = "BernoulliLikelihood"
    of_density = (
        "The likelihood is a density of pixels in [0, 1]: its nats may be negative, have no "
        "equivalent in bits per dimension, and cannot be compared with a likelihood of grey levels "
        "or of black and white pixels."
    )

    def load(self, recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
        from keras_vae import datasets

        pairs = recipe.data.get("pairs")
        if pairs not in (None, *_PAIRS):
            known = "; ".join(f'"{k}" ({v})' for k, v in _PAIRS.items())
            raise ValueError(
                f"The recipe {recipe.name!r}: `pairs` of [data] must be one of {known}. Received: "
                f"{pairs!r}."
            )
        own = {"kind", "pairs", *(["binarize"] if recipe.is_dynamic else [])}
        config = {k: v for k, v in recipe.data.items() if k not in own}
        try:
            data = datasets.load(**config, data_dir=data_dir)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        if not recipe.is_dynamic:
            return data
        drawn = datasets.binarize(data.test.x, seed=recipe.evaluation.get("seed", 0))
        return dataclasses.replace(data, test=datasets.Arrays(drawn, data.test.y))

    def batches(self, recipe: Recipe, data: Splits, seed: int) -> Batches:
        from keras_vae import datasets

        pairs = recipe.data.get("pairs")
        if pairs in _OF_LABELS and data.train.y is None:
            raise ValueError(
                f"The data {recipe.data['name']!r} have no labels, but a {recipe.family} is "
                "conditioned on them. Give an .npz file with y_train and y_test, or a folder with "
                "a sub-folder for each class."
            )
        return datasets.Batches(
            data.train.x,
            data.train.y if pairs in ("labels", "classes") else None,
            batch_size=recipe.training.get("batch_size", 100),
            seed=seed,
            binarize=recipe.is_dynamic,
            pair=_completions(pairs) if pairs in ("completion", "prediction") else None,
        )

    def pairs(self, recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
        from keras_vae import datasets

        kind = recipe.data.get("pairs")
        if kind is None:
            return (arrays.x,)
        if kind in _OF_LABELS:
            return arrays.x, arrays.y
        if num_seen is not None:
            seen = datasets.seen_quadrants(arrays.x, num_seen)
            return (arrays.x, seen) if kind == "completion" else (seen, arrays.x)
        rng = np.random.default_rng(recipe.evaluation.get("seed", 0))
        return _completions(kind)(arrays.x, rng)

    def show(self, model: GenerativeModel, recipe: Recipe, test: Arrays, folder: Path) -> None:
        """Draws reconstructions of test examples, and samples, if the model generates pictures."""
        from keras_vae import plotting

        kind = recipe.data.get("pairs")
        shown = self.pairs(recipe, test[: recipe.pictures.get("originals", NUM_ORIGINALS)])
        generator: Any = model
        try:
            if kind == "prediction":
                again = model.predict(shown[0])
                plotting.reconstructions(shown[1], again, folder / RECONSTRUCTIONS)
            elif model.can_reconstruct:
                again = generator.reconstruct(*shown)
                plotting.reconstructions(shown[0], again, folder / RECONSTRUCTIONS)
            if model.can_sample:
                told = self._sample_condition(recipe, test)
                samples = generator.sample(NUM_SAMPLES, seed=0, **told)
                plotting.image_grid(samples, folder / "samples.png", columns=NUM_COLUMNS)
        # Training is done: pictures that cannot be drawn (four channels, say) must not end the run.
        except (ImportError, ValueError) as error:
            print(f"No pictures were drawn: {error}")

    def _sample_condition(self, recipe, test):
        """Conditions of the samples to draw: a row for each label, or for each picture to
        complete."""
        kind = recipe.data.get("pairs")
        if kind in ("labels", "prior_labels"):
            return {"condition": np.resize(np.repeat(np.unique(test.y), NUM_COLUMNS), NUM_SAMPLES)}
        if kind == "completion":
            _, seen = self.pairs(recipe, test[: NUM_SAMPLES // NUM_COLUMNS])
            rows = np.resize(np.repeat(np.arange(len(seen)), NUM_COLUMNS), NUM_SAMPLES)
            return {"condition": seen[rows]}
        return {}

    def task(self, recipe: Recipe) -> str:
        return _TASKS.get(recipe.data.get("pairs"), "unconditional-image-generation")

    def samples(self, recipe: Recipe, folder: Path) -> str:
        drawn = family_of(recipe).sample_draws
        caption = _CAPTIONS.get(recipe.data.get("pairs"), "")
        return picture(folder, "samples.png", _ELEMENTS if drawn == "elements" else caption)

    def reconstructions(self, folder: Path) -> str:
        return picture(folder, RECONSTRUCTIONS, _PAIRED)

    def description(self, recipe: Recipe) -> str:
        if not recipe.is_dynamic:
            return ""
        return (
            "Pixels are binarised at random: one is white with a probability equal to its grey "
            "value. Training pictures are binarised anew each time they are used, test pictures "
            f"once, with seed {recipe.evaluation.get('seed', 0)}."
        )

    def loading(self, recipe: Recipe) -> list[str]:
        own = ("kind", "name", "pairs")
        options = {k: v for k, v in recipe.data.items() if k not in own and v != "dynamic"}
        named = [json.dumps(recipe.data["name"])]
        named += [f"{k}={json.dumps(v)}" for k, v in options.items()]
        x = "data.test.x[:100]"
        if recipe.is_dynamic:
            x = f"keras_vae.datasets.binarize({x}, seed={recipe.evaluation.get('seed', 0)})"
        has_labels = recipe.data.get("pairs") in ("labels", "prior_labels", "classes")
        return [
            f"data = keras_vae.datasets.load({', '.join(named)})",
            f"x, y = {x}, data.test.y[:100]" if has_labels else f"x = {x}",
        ]

    def uses(self, recipe: Recipe) -> list[str]:
        family = family_of(recipe)
        match recipe.data.get("pairs"):
            case "classes":
                return ["probabilities = model.predict(x)", scores(family, "x, y")]
            case "prediction":
                return [_SEEN, "pictures = model.predict(seen)", scores(family, "seen, x")]
            case "completion":
                new = "new = model.sample(len(seen), condition=seen, seed=0)"
                return [_SEEN, new, scores(family, "x", condition="seen")]
            case "labels":
                new = "new = model.sample(16, condition=1, seed=0)"
                return [new, scores(family, "x", condition="y")]
        is_told = recipe.data.get("pairs") == "prior_labels"
        lines = [_OF_LATENTS[family.encode_gives]] if family.encode_gives else []
        if can_sample(recipe):
            lines.append(f"new = model.sample(16{', condition=1' * is_told}, seed=0)")
        elif family.can_reconstruct:
            lines.append("again = model.reconstruct(x)")
        return [*lines, scores(family, "x", condition="y" if is_told else None)]


def _completions(kind):
    """Returns a function that makes pairs of pictures and their visible parts."""

    def pair(x, rng):
        from keras_vae import datasets

        seen = datasets.random_quadrants(x, rng)
        return (x, seen) if kind == "completion" else (seen, x)

    return pair
