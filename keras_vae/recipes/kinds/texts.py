"""Recipes of texts: sentences, molecules, and other sequences of tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_vae.atomic_files import write_atomically
from keras_vae.recipes.kinds.kind import Kind
from keras_vae.recipes.kinds.kind import scores
from keras_vae.recipes.named_classes import family_of

if TYPE_CHECKING:
    from keras_vae.datasets import Batches
    from keras_vae.datasets.splits import Splits
    from keras_vae.models import GenerativeModel
    from keras_vae.recipes.recipe import Recipe

SHOWN = "samples.json"
NUM_SAMPLES, NUM_PATHS, NUM_STEPS, NUM_ORIGINALS = 10, 2, 7, 5
_FIRST = "texts = data.vocabulary.decode(data.test.x[:100])"


class Texts(Kind):
    """Texts as rows of tokens, of any source that `keras_vae.datasets.load_text` knows."""

    keys = frozenset({"unit", "max_tokens", "min_count", "max_length", "column", "validation_size"})

    def load(self, recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
        from keras_vae import datasets

        name, options = _source(recipe)
        return datasets.load_text(name, **options, data_dir=data_dir)

    def batches(self, recipe: Recipe, data: Splits, seed: int) -> Batches:
        from keras_vae import datasets

        size = recipe.training.get("batch_size", 100)
        return datasets.LengthBatches(data.train.x, batch_size=size, seed=seed)

    def given(self, data: Any) -> dict[str, Any]:
        return {
            "num_tokens": data.vocabulary.num_tokens,
            "max_length": data.train.x.shape[1],
            "vocabulary": data.vocabulary,
        }

    def show(self, model: GenerativeModel, recipe: Recipe, test: Any, folder: Path) -> None:
        """Writes samples, interpolations between two test texts, and reconstructions, as JSON."""
        writer: Any = model
        drawn = writer.sample(NUM_SAMPLES, seed=0)
        shown = {"samples": list(drawn)}
        if model.can_reconstruct:
            texts = writer.as_texts(test.x[: max(NUM_ORIGINALS, 2 * NUM_PATHS)])
            again = writer.reconstruct(texts[:NUM_ORIGINALS])
            shown["reconstructions"] = [list(p) for p in zip(texts, again, strict=False)]
            shown["interpolations"] = [
                [a, *writer.interpolate(a, b, NUM_STEPS), b]
                for a, b in list(zip(texts[::2], texts[1::2], strict=False))[:NUM_PATHS]
            ]
        content = json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / SHOWN, content.encode())

    def task(self, recipe: Recipe) -> str:
        return "text-generation"

    def is_local(self, recipe: Recipe) -> bool:
        return True

    def samples(self, recipe: Recipe, folder: Path) -> str:
        shown = _shown(folder)
        if not shown:
            return ""
        has_latent = family_of(recipe).encode_gives is not None
        caption = "Samples" + (", z from the prior" if has_latent else "") + ", each token drawn:"
        parts = [f"{caption}\n\n{_block(shown['samples'])}"]
        if paths := shown.get("interpolations"):
            parts.append(
                "From one test example, the first line, to another, the last, along the line "
                "between their posterior means; each token is the most probable one:"
            )
            parts += [_block(path) for path in paths]
        return "\n\n".join(parts)

    def reconstructions(self, folder: Path) -> str:
        pairs = _shown(folder).get("reconstructions", [])
        if not pairs:
            return ""
        lines = [line for text, again in pairs for line in (text, f"    {again}")]
        return (
            "Test examples and, below each, what is written for its posterior mean, each token the "
            f"most probable one:\n\n{_block(lines)}"
        )

    def loading(self, recipe: Recipe) -> list[str]:
        name, options = _source(recipe)
        named = [json.dumps(name), *(f"{k}={json.dumps(v)}" for k, v in options.items())]
        return [f"data = keras_vae.datasets.load_text({', '.join(named)})", _FIRST]

    def uses(self, recipe: Recipe) -> list[str]:
        family, lines = family_of(recipe), []
        if family.encode_gives:
            lines = ["z = model.encode(texts).mean", "path = model.interpolate(*texts[:2], 5)"]
        return [*lines, "new = model.sample(5, seed=0)", scores(family, "texts")]


def _source(recipe):
    """Returns the arguments of `load_text`: the source, and its options."""
    options = {k: v for k, v in recipe.data.items() if k not in ("kind", "name")}
    return recipe.data["name"], options


def _shown(folder):
    path = folder / SHOWN
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _block(lines):
    """Returns lines of text as a verbatim block of Markdown."""
    return "\n".join(["```text", *lines, "```"])
