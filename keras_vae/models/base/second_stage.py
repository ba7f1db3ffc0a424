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
    """What a model of codes does with the priors of its levels.

    A condition may belong to the model, whose networks are then given it, or to the prior of the
    top level alone.
    """

    sample_draws = "latents"

    @property
    def can_sample(self) -> bool:
        """Whether the codes have a prior to draw from, which `fit_prior` trains."""
        return bool(self.priors)

    @property
    def sample_condition(self) -> Condition | None:
        """The `Condition` of what `sample` is told, the model's or its prior's, or `None`."""
        of_prior = self.priors[-1].condition if self.priors else None
        return of_prior if self.condition is None else self.condition

    def given(self, y: Array = None, training: bool = False) -> Tensor:
        if self.condition is None and self._prior_is_told():
            return self.priors[-1].given(y, training)
        return super().given(y, training)

    def told(self, c: Tensor) -> Tensor:
        """Returns what the prior of the top level is given of c, `None` where it is not told."""
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
        """Trains a prior of the codes of x, which the model then has, and saves with itself.

        Args:
            x: Array (N, S).
            condition: What the (top) prior is told of each example, where it is conditional.
            prior: `AutoregressiveModel`, of several levels a list. By default the one that the
                model has already, or a new `PixelCNN` (of codes that are no grid, a
                `TransformerPrior`). Below the top they have a `CodeCondition` of the codes above.
            optimizer: Of Keras, for a prior that is not compiled.
            validation_data: x, or (x, condition), held out.
            **kwargs: for the prior's `fit`.

        Returns:
            What the prior's `fit` returns, of several levels a list.

        Raises:
            ValueError: If x is not data of this model, the prior is not made for its codes, or a
                condition is given that nothing takes. The model is then as it was.
        """
        if self.is_of_any_size:
            raise ValueError(
                f"A prior is of codes of one size, and this {type(self).__name__} takes pictures "
                "of any size. Build its networks with a fixed `input_shape` and `output_shape`, "
                "give them these weights (`encoder.set_weights(...)`), and call `fit_prior` then."
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
            temperature: positive number that the prior's logits are divided by.
            top_k: Integer, or `None`: codes are drawn from the k most probable only.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If there is no trained prior, or `temperature` or `top_k` is out of range.
        """
        if not self.priors:
            raise ValueError(
                f"This {type(self).__name__} has no prior of its codes to sample from. Train one: "
                "`model.fit_prior(x_train, epochs=10)`."
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
        """Returns what each prior learns from."""
        takes_pairs = self.condition is not None or priors[-1].condition is not None
        x, condition = data.gathered(self, x, condition, takes_pairs)
        if condition is not None and not takes_pairs:
            raise ValueError(
                f"`fit_prior` was given a condition, and neither this {type(self).__name__} nor "
                f"its prior, a {type(priors[-1]).__name__}, takes one. Give it a prior that does, "
                "such as `prior=PixelCNN(shape, num_embeddings, condition=LabelCondition(10))`, or "
                "leave the condition out."
            )
        indices = self.indices_of(x, None if self.condition is None else condition)
        return code_priors.training_pairs(priors, indices, condition)

    def take_priors(self, priors: list) -> None:
        """Makes trained priors a part of the model."""
        _freeze(priors)
        self._tracker.unlock()  # as Keras' own layers do where they grow after they are built
        self.priors.clear()
        self.priors.extend(priors)
        self._tracker.lock()
        # What has been compiled had another prior.
        self.train_function = self.test_function = self.predict_function = None

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs) -> None:
        """Reads the weights and the state of the optimizer; see `keras.Model.load_weights`.

        Raises:
            ValueError: If the file holds a trained prior, and the model has none. Nothing is read
                then.
        """
        if not self.priors and not skip_mismatch and _holds_priors(filepath):
            raise ValueError(
                f"The file {str(filepath)!r} holds a prior of the codes, and this "
                f"{type(self).__name__} has none: a file of weights does not say how the prior is "
                "made. Construct the model with such a prior, or save it whole, by "
                '`model.save("model.keras")` or `model.save_to_preset(folder)`. To leave the prior '
                "out, load with `skip_mismatch=True`."
            )
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    # A family says how users see levels.

    def for_user(self, levels: list) -> Any:
        """Returns a list with an entry for each level as users see it."""
        return levels

    def from_user(self, value: Any) -> list:
        """Returns what users give as a list with an entry for each level."""
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
            return ()  # the networks are told nothing: no code and no reconstruction depends on it
        return super().conditions_for(condition, num_examples)

    def check_own_priors(self) -> None:
        """Checks priors that the model was constructed with, and freezes them."""
        if self.priors:
            code_priors.check_priors(self.priors, self.code_shapes, self._sizes(), self.condition)
            _freeze(self.priors)

    def _prior_is_told(self):
        return bool(self.priors) and self.priors[-1].condition is not None


def _freeze(priors):
    """The codes' own model trains without them."""
    for prior in priors:
        prior.trainable = False


def _holds_priors(path):
    """Whether a file of weights, where it is one file here, holds those of priors."""
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
