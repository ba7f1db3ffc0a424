"""A data set in memory: arrays, and the parts it is divided into."""

import dataclasses
from typing import Any

import numpy as np

# Fixed: the same array is always divided in the same way.
_SPLIT_SEED = 2026
_TEST_PART = 10


@dataclasses.dataclass(frozen=True, eq=False)
class Arrays:
    """The examples of one part of a data set.

    Args:
        x: Float32 array (N, H, W, C) with values in [0, 1].
        y: Int32 array (N,) of labels, or None.

    Example:

    ```python
    train = keras_vae.datasets.load("mnist_mini").train
    train.x.shape  # (4000, 28, 28, 1)
    len(train)  # 4000
    ```
    """

    x: np.ndarray
    y: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.x):
            raise ValueError(
                f"`x` and `y` differ in length: {len(self.x)} images but {len(self.y)} labels."
            )

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> "Arrays":
        """Returns the given rows of `x` and `y`, as `Arrays`."""
        return Arrays(self.x[rows], None if self.y is None else self.y[rows])


@dataclasses.dataclass(frozen=True, eq=False)
class Splits:
    """A data set: training, test and optionally validation examples.

    Args:
        name: String, the name it was loaded by.
        train: `Arrays`.
        test: `Arrays`.
        validation: `Arrays`, or None if there are no validation examples.
        description: String, the source, licence and division of the data.

    Example:

    ```python
    data = keras_vae.datasets.load("mnist_mini", validation_size=500)
    len(data.train), len(data.validation), len(data.test)  # (3500, 500, 1000)
    ```
    """

    name: str
    train: Arrays
    test: Arrays
    validation: Arrays | None = None
    description: str = ""


def fixed_split(num_examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fixed division of data that come as one array.

    The order is `np.random.default_rng(2026).permutation(num_examples)`; its last tenth, rounded
    up, is the test part.

    Returns:
        Two int arrays, the indices of the training and the test examples.

    Raises:
        ValueError: If there are fewer than two examples.
    """
    if num_examples < 2:
        raise ValueError(
            f"Data in one array need at least 2 examples, one to train on and one to test on. "
            f"Received: {num_examples}"
        )
    order = np.random.default_rng(_SPLIT_SEED).permutation(num_examples)
    num_test = -(-num_examples // _TEST_PART)
    return order[:-num_test], order[-num_test:]
