"""Latents of unit scale, on which another model can be trained, and their pictures."""

from pathlib import Path

import numpy as np
from keras import ops

from keras_vae.arrays import to_numpy
from keras_vae.batching import run_batches
from keras_vae.models.base import tiled
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.saving import preset_model
from keras_vae.typing import Array


class LatentPictures:
    """The part of an `EncoderDecoderModel` that serves a generator of latents."""

    def latents(
        self,
        x: Array,
        condition: Array = None,
        batch_size: int = 32,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns the latents of x for training another model: z without noise, shifted and scaled
        to a standard deviation near 1 by `latent_shift` and `latent_scale`.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            batch_size: Integer, the number of examples per batch.
            tile, overlap, verbose: See `encode`.

        Returns:
            NumPy array (N, *latent_shape), float32: (z - latent_shift) * latent_scale.

        Raises:
            ValueError: If x or the condition does not fit this model, or `tile` does not.

        Example:

        ```python
        latents = model.latents(photographs / 255)
        pictures = model.pictures(latents)
        ```
        """
        x, *conditions = self.check_inputs(x, condition)
        x, (shift, scale) = x.astype("float32"), self._shift_and_scale()
        if tile is None:
            return (self.latent_means(x, *conditions, batch_size=batch_size) - shift) * scale
        outputs = tiled.encoded(self, x, conditions, tile, overlap, verbose)
        with self.reading():
            z = self.latent_of(self.inferred([ops.convert_to_tensor(y) for y in outputs]))
            return (ops.convert_to_numpy(z) - shift) * scale

    def latent_means(self, x: np.ndarray, *conditions: np.ndarray, batch_size: int) -> np.ndarray:
        """Returns z without noise, (N, *latent_shape), of what `check_inputs` gives."""
        run = self.jitted_once("latents", lambda x, *c: self.latent_mean(x, self.embedded(*c)))
        return run_batches(run, x, *conditions, batch_size=batch_size)

    def pictures(
        self,
        latents: Array,
        condition: Array = None,
        batch_size: int = 32,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns the pictures of latents, as returned by `latents`.

        These are the means of p(x|z), or for nominal data the most probable values, clipped to the
        `value_range` of the likelihood if it has one.

        Args:
            latents: Array (N, *latent_shape).
            condition: In a conditional model: one condition for all, or an array (N, ...) of one
                for each.
            batch_size: Integer, the number of examples per batch.
            tile, overlap, verbose: See `encode`, in pixels of x.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If the latents have another shape or are not finite, or the condition or
                `tile` does not fit.
        """
        values = to_numpy(latents, "latents")
        check_examples(values, self.latent_shape, "latents")
        conditions = self.conditions_for(condition, len(values))
        shift, scale = self._shift_and_scale()
        z = values.astype("float32") / scale + shift

        def decoded(z, *c):
            return self.likelihood.point(self.generate(z, self.embedded(*c)))

        if tile is None:
            run = self.jitted_once("pictures", decoded)
            x = run_batches(run, z, *conditions, batch_size=batch_size)
        else:
            x = tiled.decoded(self, "point", z, conditions, tile, overlap, verbose)
        return x if self.likelihood.value_range is None else x.clip(*self.likelihood.value_range)

    def save_to_diffusers(self, folder: str | Path) -> None:
        """Writes the model in the format of diffusers: `config.json` and
        `diffusion_pytorch_model.safetensors`, float32.

        Its networks must be `AutoencoderKLEncoder` and `AutoencoderKLDecoder`, those of `VQModel`,
        or the tiny autoencoder's without group norms. `keras_vae.from_preset` reads the folder too.

        Raises:
            ValueError: If diffusers has no such model, or weights are not finite. Nothing is
                written.
            OSError: If the disk is full, or the folder cannot be written to.

        Example:

        ```python
        model = keras_vae.from_preset("hf://madebyollin/taesd")
        model.save_to_diffusers("mine")  # diffusers.AutoencoderTiny.from_pretrained("mine")
        ```
        """
        preset_model.save_foreign(self, folder)

    def _shift_and_scale(self):
        return np.asarray(self.latent_shift, "float32"), np.asarray(self.latent_scale, "float32")
