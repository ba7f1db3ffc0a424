"""The second stage of a model of codes: training a prior on codes, and sampling from it."""

import itertools
import os
from typing import Any

import h5py
import numpy as np

from keras_vae.conditions import Condition
from keras_vae.models.base import code_priors
from keras_vae.models.base import data
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.noise import check_seed
from keras_vae.noise import child_seed
from keras_vae.typing import Array
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


class SecondStage(EncoderDecoderModel):
    """The part of a model of codes that trains and samples the priors of its levels.

    A condition may belong to the model, whose networks then receive it, or only to the prior of the
    top level.
    """

    sample_draws = "latents"

    @property
    def can_sample(self) -> bool:
        """Whether the codes have a prior to draw from, which `fit_prior` trains."""
        return bool(self.priors)

    @property
    def sample_condition(self) -> Condition | None:
        """The `Condition` that `sample` takes, the model's or its prior's, or `None`."""
        of_prior = self.priors[-1].condition if self.priors else None
        return of_prior if self.condition is None else self.condition

    def given(self, y: Array = None, training: bool = False) -> Tensor:
        if self.condition is None and self._prior_is_told():
            return self.priors[-1].given(y, training)
        return super().given(y, training)

    def told(self, c: Tensor) -> Tensor:
        """Returns c if the prior of the top level takes it, otherwise `None`."""
        return c if self._prior_is_told() else None

    def fit_prior(
        self,
        x: Array,
        condition: Array = None,
        prior: Any = None,
        optimizer: Any = "adam",
        validation_data: Any = None,
        **kwargs,
    ) -> Any:
        """Trains a prior of the codes of x, which becomes a part of the model and is saved with it.

        Args:
            x: Array (N, S).
            condition: The conditions of the (top) prior, if it is conditional.
            prior: `AutoregressiveModel`, or a list of one for each level. By default the model's
                current prior, or a new `PixelCNN` (a `TransformerPrior` if the codes are not a
                grid). Priors below the top have a `CodeCondition` on the codes above.
            optimizer: A Keras optimizer or its name, for a prior that is not compiled.
            validation_data: Held-out x, or (x, condition).
            **kwargs: Arguments of the prior's `fit`.

        Returns:
            What the prior's `fit` returns, or a list of one for each level.

        Raises:
            ValueError: If x does not fit this model, the prior does not fit its codes, or a
                condition is given but neither takes one. The model is left unchanged.
        """
        if self.is_of_any_size:
            raise ValueError(
                f"A prior models codes of one size, but this {type(self).__name__} takes pictures "
                "of any size. Build its networks with a fixed `input_shape` and `output_shape`, "
                "give them these weights (`encoder.set_weights(...)`), then call `fit_prior`."
            )
        priors = self.priors if prior is None else self.from_user(prior)
        priors = priors or code_priors.default_priors(self.code_shapes, self._sizes())
        priors = code_priors.check_priors(priors, self.code_shapes, self._sizes(), self.condition)
        pairs = self.prior_pairs(priors, x, condition)
        held_out: list = [None] * len(pairs)
        if validation_data is not None:
            is_pair = isinstance(validation_data, tuple)
            validation_data = validation_data if is_pair else (validation_data,)
            held_out = self.prior_pairs(priors, *validation_data)
        histories = [
            code_priors.train(*level, **kwargs)
            for level in zip(priors, pairs, [optimizer] * len(pairs), held_out, strict=True)
        ]
        self.take_priors(priors)
        return self.for_user(histories)

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = False,
        temperature: Weight = 1.0,
        top_k: int | None = None,
    ) -> np.ndarray:
        """Returns new examples: codes from the prior, decoded.

        Args:
            num_samples: Integer, N.
            condition: Condition of the prior or of the model: one for all examples, or an array (N,
                ...).
            seed: Integer, or `None` for fresh noise.
            from_likelihood: Whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned, or for nominal data the most probable value.
            temperature: Positive number by which the prior's logits are divided.
            top_k: Integer, or `None`. Codes are drawn from the k most probable only.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If there is no trained prior, or `temperature` or `top_k` is out of range.
        """
        if not self.priors:
            raise ValueError(
                f"This {type(self).__name__} has no prior over its codes to sample from. Train "
                "one: `model.fit_prior(x_train, epochs=10)`."
            )
        num_samples, seed = self.check_num_samples(num_samples), check_seed(seed)
        seeds = [child_seed(seed, f"level {i}") for i in range(len(self.priors))]
        of_prior = condition if self.condition is None or self._prior_is_told() else None
        of_model = None if self.condition is None else condition
        indices = code_priors.draw_codes(
            self.priors, num_samples, of_prior, seeds, temperature=temperature, top_k=top_k
        )
        return self.decode_indices(self.for_user(indices), of_model, seed, from_likelihood)

    def prior_pairs(self, priors: list, x: Array, condition: Array = None) -> list[tuple]:
        """Returns the training data of each prior."""
        takes_pairs = self.condition is not None or priors[-1].condition is not None
        x, condition = data.gathered(self, x, condition, takes_pairs)
        if condition is not None and not takes_pairs:
            raise ValueError(
                f"`fit_prior` was given a condition, but neither this {type(self).__name__} nor "
                f"its prior, a {type(priors[-1]).__name__}, takes one. Give it a prior that does, "
                "such as `prior=PixelCNN(shape, num_embeddings, condition=LabelCondition(10))`, or "
                "leave the condition out."
            )
        indices = self.indices_of(x, None if self.condition is None else condition)
        return code_priors.training_pairs(priors, indices, condition)

    def take_priors(self, priors: list) -> None:
        """Makes trained priors a part of the model."""
        _freeze(priors)
        self._tracker.unlock()  # as Keras does for layers that grow after `build`
        self.priors.clear()
        self.priors.extend(priors)
        self._tracker.lock()
        # The compiled functions use the previous prior.
        self.train_function = self.test_function = self.predict_function = None

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs) -> None:
        """Reads the weights and the state of the optimizer; see `keras.Model.load_weights`.

        Raises:
            ValueError: If the file holds a trained prior but the model has none. Nothing is read.
        """
        if not self.priors and not skip_mismatch and _holds_priors(filepath):
            raise ValueError(
                f"The file {str(filepath)!r} holds a prior over the codes, but this "
                f"{type(self).__name__} has none: a file of weights does not say how the prior is "
                "built. Construct the model with such a prior, or save the whole model, with "
                '`model.save("model.keras")` or `model.save_to_preset(folder)`. To leave the prior '
                "out, load with `skip_mismatch=True`."
            )
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    # A family defines how users see levels.

    def for_user(self, levels: list) -> Any:
        """Converts a list with an entry for each level to the form that users see."""
        return levels

    def from_user(self, value: Any) -> list:
        """Converts user input to a list with an entry for each level."""
        return list(value)

    # Plumbing.

    def check_condition(self, y: Array, x: Array, name: str = "y") -> Any:
        if self.condition is None and self._prior_is_told():
            return self.priors[-1].check_condition(y, x, name)
        return super().check_condition(y, x, name)

    def conditions_for(self, condition: Array, num_examples: int) -> tuple:
        if self.condition is None and self._prior_is_told():
            if condition is not None:
                self.priors[-1].conditions_for(condition, num_examples)
            return ()  # only the prior takes it, so neither codes nor reconstructions depend on it
        return super().conditions_for(condition, num_examples)

    def check_own_priors(self) -> None:
        """Checks priors that the model was constructed with, and freezes them."""
        if self.priors:
            code_priors.check_priors(self.priors, self.code_shapes, self._sizes(), self.condition)
            _freeze(self.priors)

    def _prior_is_told(self):
        return bool(self.priors) and self.priors[-1].condition is not None


def _freeze(priors):
    """Freezes priors: training the model of the codes must not change them."""
    for prior in priors:
        prior.trainable = False


def _holds_priors(path):
    """Whether a weights file, if it is a single local file, holds those of priors."""
    if not str(path).endswith(".h5") or not os.path.isfile(path):
        return False
    kinds = {kind.__name__.lower() for kind in _subclasses(AutoregressiveModel)}
    with h5py.File(path, "r") as file:
        # Keras names them "pixel_cnn", and a second one "pixel_cnn_1".
        return any(
            k.rstrip("_0123456789").replace("_", "") in kinds for k in file.get("layers", ())
        )


def _subclasses(kind):
    """Returns all classes below a class."""
    return [*kind.__subclasses__(), *itertools.chain(*map(_subclasses, kind.__subclasses__()))]
