"""The files that a model writes and reads: presets, Keras files, exports and compressed data."""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae import codecs
from keras_vae.models.saving import blank_weights
from keras_vae.models.saving import exported
from keras_vae.models.saving import named_weights
from keras_vae.models.saving import preset_model
from keras_vae.models.saving import trained_weights
from keras_vae.models.saving.atomic_save import save_atomically
from keras_vae.typing import Array


class Files:
    """The part of a `GenerativeModel` that writes and reads files."""

    def compress(
        self, x: Array, condition: Array = None, batch_size: int = 64, verbose: int = 0
    ) -> bytes:
        """Returns the bytes of a file of x, about as small as the model's bound says.

        Data compressed by a VAE or an autoregressive model are restored bit for bit, on any
        backend. A model of codes is lossy: its reconstruction is restored.

        Apart from x itself, memory use does not grow with the number of examples. Needs the package
        `constriction` (the extra `codec`).

        Args:
            x: Array (N, S) of discrete data, such as binary pixels or grey levels k / 255.
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each. It is not stored: `decompress` needs it again.
            batch_size: Integer, the number of examples given to the networks at once. It does not
                affect the file, nor where it can be read.
            verbose: 1 shows a progress bar.

        Raises:
            ValueError: If x or the condition does not fit this model, x has values between the
                levels of its likelihood, or the networks are not computed in float32.
            NotImplementedError: If the model has no bound, a likelihood of continuous data, or
                latents or a prior that are not Gaussian.
            ImportError: If `constriction` is not installed.

        Example:

        ```python
        data = model.compress(x_test)
        print(keras_vae.codecs.read_info(data).bits_per_dim)
        x_again = model.decompress(data)  # on this machine or another
        ```

        Reference:
            - [Townsend et al., 2019](https://arxiv.org/abs/1901.04866)
        """
        return codecs.compress(self, x, condition, batch_size, verbose)

    def decompress(
        self, data: bytes, condition: Array = None, batch_size: int = 64, verbose: int = 0
    ) -> np.ndarray:
        """Returns the x that `compress` was given, or, for a model of codes, its reconstruction.

        Args:
            data: The bytes of the file.
            condition: The condition that `compress` was given.
            batch_size: Integer, the number of examples given to the networks at once.
            verbose: 1 shows a progress bar.

        Returns:
            NumPy array (N, S) of the type that x had.

        Raises:
            ValueError: If the file is damaged, was written with other weights or another condition,
                or cannot be decoded on this device. Data are returned only if their checksum fits.
            ImportError: If `constriction` is not installed.
        """
        return codecs.decompress(self, data, condition, batch_size, verbose)

    def weights_sha256(self) -> str:
        """Returns the sha256 of the weights, 64 hexadecimal digits, the same on every backend."""
        with self.reading():
            return named_weights.sha256_of(self)

    def save_to_preset(self, folder: str | Path, dtype: str = "float32") -> None:
        """Writes `config.json` and `model.safetensors` into `folder`, both or neither.

        The preset holds the architecture and the weights, readable on every backend. It holds
        neither the optimizer nor the state of the noise, which `model.save("x.keras")` keeps for
        resuming. If the process is killed or the disk is full, the folder keeps what it held. In
        distributed training, only the first process writes it.

        Args:
            folder: Path, created if it does not exist.
            dtype: "float32", or "float16" for a file of half the size: weights are then rounded to
                about three decimal digits, and converted back to float32 when they are loaded.

        Raises:
            ValueError: If the model is not built, could not be loaded again (Lambda layers, classes
                that are not registered) or has weights that are not finite in `dtype`, or if
                `dtype` is neither of the two. Nothing is written.
            OSError: If the disk is full, or the folder cannot be written to.
        """
        with self.writing(folder) as path:
            if path is not None:
                preset_model.save_model(self, path, dtype)

    @classmethod
    def from_preset(cls, name_or_folder: str | Path) -> Any:
        """Returns the model of a preset with its weights.

        A preset of unknown origin cannot run code of its own: it may name only registered classes
        and Keras' layers except `Lambda`, and create no more weights than its file holds.

        Args:
            name_or_folder: A name that `keras_vae.presets.names()` lists, a folder written by
                `save_to_preset`, or `hf://owner/name`.

        Raises:
            ValueError: If the name is unknown, files are damaged, or the preset is of another
                class.
            OSError: If the weights are not on this machine and cannot be downloaded.
        """
        return preset_model.load_model(name_or_folder, cls)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs
    ) -> None:
        """Saves the model with its optimizer and its noise; see `keras.Model.save`.

        A `.keras` file is moved into place once it is complete: if the process is killed or the
        disk is full, the previous file remains. In distributed training, only the first process
        writes it.
        """
        save = functools.partial(super().save, overwrite=overwrite, zipped=zipped, **kwargs)
        with self.writing(filepath) as path, blank_weights.weights_follow():
            if path is None:
                return
            is_one_file = _is_local(path, ".keras") and zipped is not False
            if is_one_file and _may_write(path, overwrite):
                save_atomically(save, path, ".keras")
            else:
                save(path)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Saves the weights and the state of the optimizer; see `keras.Model.save_weights`.

        A single file, without shards, is moved into place once it is complete. In distributed
        training, only the first process writes it.
        """
        save = functools.partial(
            super().save_weights, overwrite=overwrite, max_shard_size=max_shard_size
        )
        with self.writing(filepath) as path:
            if path is None:
                return
            is_one_file = _is_local(path, ".weights.h5") and max_shard_size is None
            if not is_one_file or not _may_write(path, overwrite):
                save(path)
                return

            def save_with_note(path):
                save(path)
                trained_weights.write(self, path)

            save_atomically(save_with_note, path, ".weights.h5")

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs) -> None:
        """Reads the weights and the state of the optimizer; see `keras.Model.load_weights`.

        If other layers were trainable when the file was saved, its optimizer state does not fit and
        is skipped with a warning.
        """
        if self.built and self.compiled:
            if not self.optimizer.built:
                self.build_optimizer()  # or Keras would skip its state in the file
            is_one_file = _is_local(filepath, ".weights.h5") and os.path.isfile(filepath)
            if is_one_file and not trained_weights.check(self, filepath):
                kwargs["objects_to_skip"] = [*kwargs.get("objects_to_skip", ()), self.optimizer]
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs,
    ) -> None:
        """Exports `predict` as a program that does not need this library.

        Its inputs are x and, in a conditional model, the condition, for any number of examples. The
        networks are models too: `model.encoder.export(...)` exports the encoder alone.

        Args:
            filepath: Path of the folder or file to write.
            format: "tf_saved_model", on TensorFlow and JAX (which needs TensorFlow installed);
                "onnx", on TensorFlow (with tf2onnx) and PyTorch (with onnx and onnxscript); or
                another of Keras' formats, untested here.
            verbose, input_signature, **kwargs: See `keras.Model.export`. By default the signature
                is that of the data.

        Raises:
            ValueError: If the model is not built, or the format cannot be written on this backend.
            RuntimeError: If the model has operations that this backend cannot write in the format.
        """
        exported.check_export(self, format)
        signature = exported.signature_of(self) if input_signature is None else input_signature
        try:
            super().export(filepath, format, verbose, input_signature=signature, **kwargs)
            exported.check_written(filepath, format)
        except ImportError:
            raise  # it names the missing package
        except Exception as error:
            raise RuntimeError(exported.what_else(self, format, error)) from error


def _is_local(path, suffix):
    """Whether a path is that of a local file with this suffix, not of a bucket or a hub."""
    is_path = isinstance(path, str | os.PathLike)
    return is_path and str(path).endswith(suffix) and "://" not in str(path)


def _may_write(path, overwrite):
    return overwrite or not os.path.exists(path)  # otherwise Keras asks
