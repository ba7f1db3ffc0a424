"""The custom train step of each backend: the only sub-package that imports a framework.

`BackendStep` is chosen once, as a base class, as Keras itself chooses its trainer.
"""

import keras

match keras.config.backend():
    case "tensorflow":
        from keras_vae.steps.tensorflow_step import TensorFlowStep as BackendStep
    case "jax":
        from keras_vae.steps.jax_step import JAXStep as BackendStep  # type: ignore[assignment]
    case "torch":
        from keras_vae.steps.torch_step import TorchStep as BackendStep  # type: ignore[assignment]
    case other:
        raise ImportError(
            f"keras_vae runs on tensorflow, jax and torch; Keras is set to {other!r}. "
            "Set KERAS_BACKEND to one of the three before Keras is imported."
        )
