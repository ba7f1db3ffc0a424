"""A recipe for the user's own data: a first attempt, depending on the kind of data."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_vae.recipes.toml import to_toml

if TYPE_CHECKING:  # the command line needs the choices below without importing it
    from keras_vae.datasets.csv_tables import TextTable
    from keras_vae.datasets.splits import Splits

_CLASSES = {
    "vae": "VAE",
    "iwae": "IWAE",
    "cvae": "CVAE",
    "vqvae": "VQVAE",
    "autoencoder": "Autoencoder",
}
MODELS = tuple(_CLASSES)
LIKELIHOODS = {
    "bernoulli": "black and white",
    "gaussian": "any pictures: one standard deviation for all pixels, learned",
    "logistic": "256 levels, with numbers in bits",
}
_UPDATES = 1200  # steps of the optimizer: two minutes on two cores for pictures of 64 x 64
_TABLE_UPDATES = 3000
_PRIOR_SHARE = 4  # the prior of codes gets 1/4 of the epochs, as its steps take 3 times as long
_FEWEST_EPOCHS = 5
_SMALLEST_MAP = 8  # the side down to which networks halve pictures
_FILTERS = (32, 64, 128, 256)
_NUM_SAMPLES = 100
_LATENT_DIM = {"drawings": 20, "pictures": 64}
_INKED = 0.7  # fraction of pixels near black or white above which grey pictures are drawings
_NEAR = 0.1


def propose(
    data: "Splits",
    name: str,
    *,
    model: str | None = None,
    image_size: Sequence[int] | None = None,
    latent_dim: int | None = None,
    likelihood: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> str:
    """Returns the text of a recipe for a data set of pictures.

    Args:
        data: `Splits`, the data.
        name: String, the name for `keras_vae.datasets.load`.
        model: String, one of `MODELS`; by default "vae" for drawings. For other pictures it is
            "vqvae", whose grid of codes keeps the details that one vector z of a photograph
            cannot, from a few hundred pictures least of all.
        image_size: `(height, width)` that the pictures were resized to, if they were.
        latent_dim: Integer; by default 20 for drawings and 64 for other pictures. For "vqvae" the
            dimensions of a code, by default 32.
        likelihood: String, a key of `LIKELIHOODS`; by default "bernoulli" for pictures that are
            nearly black and white, and "gaussian" for others.
        epochs: Integer; by default the number for about 1,200 updates, and at least 5. The prior
            of codes of "vqvae" gets a quarter of that.
        batch_size: Integer, by default 32 for few or large pictures, otherwise 100.

    Raises:
        ValueError: If `model` or `likelihood` is unknown, or `model` is "cvae" but there are no
            labels.
    """
    _check("model", model, (None, *MODELS))
    _check("likelihood", likelihood, (None, *LIKELIHOODS))
    x, y = data.train.x, data.train.y
    if model == "cvae" and y is None:
        raise ValueError(
            f"--model cvae needs labels, but {name} has none. Give a folder with a sub-folder for "
            "each class, or an .npz with y_train; or use --model vae."
        )
    is_drawn = _is_drawn(x)
    model = model or ("vae" if is_drawn else "vqvae")
    likelihood = likelihood or ("bernoulli" if is_drawn else "gaussian")
    num_pixels = x.shape[1] * x.shape[2]
    if batch_size is None:
        batch_size = 32 if len(x) < 1000 or num_pixels >= 64 * 64 else 100
    num_batches = math.ceil(len(x) / batch_size)
    if epochs is None:
        epochs = max(_FEWEST_EPOCHS, round(_UPDATES / num_batches))
    filters = _filters(min(x.shape[1:3]))
    is_quantized = model == "vqvae"
    kind = "drawings" if is_drawn else "pictures"
    own = {"num_outputs": 1} if model == "autoencoder" else {}
    dim = latent_dim or (32 if is_quantized else _LATENT_DIM[kind])
    stem = "ConvMap" if is_quantized else "Conv"
    if is_quantized:  # a grid of codes, which is kept larger
        filters = filters[: max(1, min(2, len(filters)))]
    recipe: dict[str, Any] = {
        "summary": f"{_CLASSES[model]} of {len(x):,} {kind}, {x.shape[1]} x {x.shape[2]}, by "
        "default choices: see docs/own_pictures.md.",
        "data": {"name": name, **_resized(image_size), **_drawn(likelihood, x), **_paired(model)},
        "encoder": {"class": f"{stem}Encoder", "filters": filters, "latent_dim": dim, **own},
        "decoder": {"class": f"{stem}Decoder", "filters": filters[::-1]},
        **_likelihood(likelihood, is_quantized),
        **_family(model, y),
        "training": {"epochs": epochs, "batch_size": batch_size, "learning_rate": 1e-3, "seed": 0},
        "evaluation": {"num_samples": _NUM_SAMPLES, "seed": 0},
    }
    if is_quantized:
        prior_epochs = max(_FEWEST_EPOCHS, epochs // _PRIOR_SHARE)
        recipe["prior_training"] = {"epochs": prior_epochs, "batch_size": batch_size}
        del recipe["evaluation"]["num_samples"]  # nothing is drawn for its bound
    return to_toml(recipe)


def propose_table(
    table: "TextTable",
    name: str,
    *,
    latent_dim: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> tuple[str, list[str]]:
    """Returns the text of a recipe for the rows of a table, and the columns that it leaves out.

    A column is left out if it has fewer than two values, or is text that identifies nearly every
    row.

    Args:
        table: `TextTable`.
        name: String, the path of its file.
        latent_dim: Integer; by default half the columns, from 2 to 16.
        epochs: Integer; by default the number for about 3,000 updates, and at least 5.
        batch_size: Integer, by default 128.

    Raises:
        ValueError: If no column is left.
    """
    columns = table.values()
    without = [column for column, values in columns.items() if _says_nothing(values)]
    num_columns = len(columns) - len(without)
    if not num_columns:
        raise ValueError(
            f"{name} has no column with values to learn from. Received: {', '.join(columns)}."
        )
    num_train = max(1, len(table) * 9 // 10)
    batch_size = batch_size or 128
    if epochs is None:
        epochs = max(_FEWEST_EPOCHS, round(_TABLE_UPDATES / math.ceil(num_train / batch_size)))
    recipe: dict[str, Any] = {
        "summary": f"VAE of {len(table):,} rows with {num_columns} columns, by default choices: "
        "see docs/tables.md.",
        "data": {"kind": "tables", "name": name, **({"without": without} if without else {})},
        "encoder": {
            "class": "TableEncoder",
            "latent_dim": latent_dim or min(16, max(2, math.ceil(num_columns / 2))),
        },
        "decoder": {"class": "TableDecoder"},
        "likelihood": {"class": "ColumnsLikelihood", "min_sigma": 0.05},
        "prior": {"class": "GaussianMixture", "num_components": 32},
        "model": {"class": "VAE"},
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": 1e-3,
            "clipnorm": 10.0,
            "seed": 0,
        },
        "evaluation": {"num_samples": _NUM_SAMPLES, "seed": 0},
    }
    return to_toml(recipe), without


def _says_nothing(values):
    present = [value for value in values if value is not None]
    different = len(set(present))
    is_text = different > 0 and isinstance(present[0], str)
    return different < 2 or (is_text and different > max(20, 0.5 * len(present)))


def _check(option, value, choices):
    if value not in choices:
        names = ", ".join(c for c in choices if c is not None)
        raise ValueError(f"--{option} must be one of {names}. Received: {value!r}.")


def _is_drawn(x):
    """Whether pictures are of one channel and nearly black and white."""
    few = x[:500]
    return x.shape[-1] == 1 and np.mean((few < _NEAR) | (few > 1 - _NEAR)) > _INKED


def _filters(side):
    num_halvings = round(math.log2(max(side, 1) / _SMALLEST_MAP))
    return list(_FILTERS[: min(max(num_halvings, 1), len(_FILTERS))])


def _resized(image_size):
    return {} if image_size is None else {"image_size": list(image_size)}


def _drawn(likelihood, x):
    is_binary = np.isin(x[:500], (0, 1)).all()
    return {"binarize": "dynamic"} if likelihood == "bernoulli" and not is_binary else {}


def _paired(model):
    return {"pairs": "labels"} if model == "cvae" else {}


def _likelihood(likelihood, is_quantized):
    if likelihood == "bernoulli":
        return {}
    if likelihood == "logistic":
        return {"likelihood": {"class": "DiscretizedLogisticLikelihood"}}
    if is_quantized:  # sigma is fixed, as the commitment is weighed against it
        return {"likelihood": {"class": "GaussianLikelihood", "sigma": 0.2}}
    return {"likelihood": {"class": "LearnedSigmaGaussianLikelihood"}}


def _family(model, y):
    if model == "cvae":
        num_classes = int(y.max()) + 1
        condition = {"class": "LabelCondition", "num_classes": num_classes}
        return {"condition": condition, "model": {"class": "CVAE"}}
    if model == "vqvae":
        update = {"class": "EMAUpdate", "decay": 0.95}
        return {
            "quantizer": {"class": "VectorQuantizer", "num_embeddings": 256, "update": update},
            "prior": {"class": "PixelCNN"},
            "model": {"class": "VQVAE", "commitment_weight": 4.0},
        }
    return {"model": {"class": _CLASSES[model]}}
