"""The `keras.Model` methods that train, evaluate and predict, with checks of their data."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import is_array
from keras_vae.arrays import is_frame
from keras_vae.arrays import to_numpy
from keras_vae.checks import check_count
from keras_vae.datasets import Batches
from keras_vae.models.base import data
from keras_vae.models.base.arguments import is_same
from keras_vae.models.base.callback_list import CallbackList
from keras_vae.models.base.data.checks import check_class_weight
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.data.checks import check_fraction
from keras_vae.models.base.data.streams import told_plainly
from keras_vae.models.base.group_optimizer import check_optimizer
from keras_vae.models.base.subclass_checks import check_overridden
from keras_vae.models.base.subclass_checks import has_own_step
from keras_vae.models.saving import frozen_layers
from keras_vae.typing import Array


def _in_turn(method):
    """Returns a method that waits while another thread trains or evaluates the same model.

    Threads share the metrics and, in training, the weights. Within one thread, as in a callback of
    `fit`, nothing waits.
    """

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        self.check_process()
        with self.lock, self.on_devices():
            return method(self, *args, **kwargs)

    return call


class FrontDoor:
    """The methods of `keras.Model` that take data, for a model with its own objective.

    They check their arguments before anything is traced, with the same errors on every backend.
    Threads may share a model: these methods take turns.
    """

    _is_in_fit = False

    def compile(
        self,
        optimizer: Any = "adam",
        *,
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        auto_scale_loss: bool = True,
        **unexpected,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        The model brings its own loss and logs its terms, so `loss` and `metrics` are not accepted.

        Args:
            optimizer: A Keras optimizer or its name. For a model with several groups of weights
                also `{group: optimizer}`; see `objective`. A model that switches groups on and off
                needs one for each group; a name creates them.
            jit_compile, run_eagerly, steps_per_execution, auto_scale_loss: See
                `keras.Model.compile`.

        Raises:
            TypeError: If `loss`, `metrics` or another argument without a meaning here is given.
            ValueError: If the optimizers do not match the model's groups.
        """
        given = [k for k, v in unexpected.items() if v is not None]
        if given:
            raise TypeError(
                f"{type(self).__name__}.compile() takes no {', '.join(map(repr, given))}: the "
                "model has its own objective, in nats, and logs its terms "
                f"({', '.join(self.objective())}). Give only an optimizer; weights of terms, such "
                "as `kl_weight`, are arguments of the constructor."
            )
        check_overridden(self)
        self._is_for_evaluation = False
        super().compile(
            optimizer=check_optimizer(optimizer, self),
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=auto_scale_loss,
        )
        self._loss_tracker = None  # the loss is averaged with the terms

    def get_compile_config(self) -> dict:
        if getattr(self, "_is_for_evaluation", False):  # the optimizer is not the user's
            return {}
        config = super().get_compile_config()
        config = {k: v for k, v in config.items() if k not in _OBJECTIVE_ARGUMENTS}
        if self.compiled and self.has_other_slots():
            config[_TRAINED] = frozen_layers.state_for(self, self.variables_with_slots())
        return config

    def compile_from_config(self, config: dict) -> None:
        config = keras.saving.deserialize_keras_object(config)
        trained = config.pop(_TRAINED, None)
        self.compile(**config)
        if not self.built:
            return
        # The file has optimizer slots for the layers that were trainable when it was saved.
        with frozen_layers.as_it_was(self, trained) if trained else contextlib.nullcontext():
            self.build_optimizer()

    @_in_turn
    def fit(
        self,
        x: Array = None,
        y: Array = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict | None = None,
        sample_weight: Array = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains the model; see `keras.Model.fit`.

        Arrays are shuffled by `keras_vae.datasets.Batches` in an order determined by the model's
        seed and the number of steps made so far. It is the same on every backend, and the same in a
        resumed run as in an uninterrupted one.

        Args:
            x: Array (N, S) of any library, a table of numbers, or a data set: `Batches`,
                `keras.utils.PyDataset`, `tf.data.Dataset`, torch `DataLoader`, or a generator. It
                yields x, (x, y), (x, y, sample_weight), or dicts with entries such as "image" and
                "label", as batches or as single examples, which are then batched. Arrays are
                checked before the first step, and data sets batch by batch, before each step.
            y: The conditions of a conditional model, which may also be passed as `fit([x, y])`. For
                a denoising model, the clean x: `fit(noisy, clean)`.
            class_weight: `{label: weight}`, for a model that takes labels.
            batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
                sample_weight, initial_epoch, steps_per_epoch, **kwargs: See `keras.Model.fit`.

        Raises:
            ValueError: If the data do not fit this model. Raised before the first step, or, for a
                data set, before the step of the first invalid batch.
            NonFiniteError: If a cost or a gradient becomes NaN or infinite. The weights are those
                before the batch that the error names.
        """
        batch_size = _size("batch_size", batch_size)
        size, held_out = _size("validation_batch_size", kwargs.get("validation_batch_size")), None
        size = size or batch_size
        received = data.receive(self, x, y, sample_weight, batch_size)
        self.meet(received.seen, begins=True)
        if validation_data is not None:
            given = data.unpacked(self.as_arrays(validation_data))
            names = ("validation_data[0]", "validation_data[1]")
            held_out = data.receive(self, *given, batch_size=size, names=names)
        elif validation_split:
            received, held_out = received.split(
                check_fraction(validation_split, received.num_examples())
            )
        if held_out is not None:
            held_out, size = held_out.evaluated_by(self, size)
            kwargs["validation_batch_size"] = size  # `batch_size` is not passed on
        if class_weight is not None:
            received, class_weight = self._weighed(received, class_weight)
        x, y, sample_weight = received[:3]
        if received.is_arrays and shuffle is True and steps_per_epoch is None:
            x = Batches(x, y, sample_weight, batch_size=batch_size or 32, seed=self.noise.seed)
            received = data.Received(x, batches=x, seen=received.seen)
            y = sample_weight = batch_size = None
        elif not received.is_arrays:
            batch_size = None
        self._check_compiled()
        self.advise(received.seen)
        self._follow_settings()
        self._tell_directions(callbacks)
        batches = received.batches
        callbacks = self._with_clock(callbacks)
        if type(x) is Batches and steps_per_epoch is None and class_weight is None:
            if not isinstance(callbacks, keras.callbacks.CallbackList):
                callbacks = CallbackList(callbacks, self, len(x), epochs, verbose)
            listens = getattr(callbacks, "listens", True) or has_own_step(self)
            x = self.batches_for_epochs(x, listens)
            callbacks.steps_of = getattr(x, "steps_of", None)
        with (
            self._in_fit(),
            told_plainly(received.view, held_out and held_out.view),
            batches.timed_by(self._num_steps) if batches else contextlib.nullcontext(),
        ):
            return super().fit(
                x=x,
                y=y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=held_out and held_out.given,
                shuffle=shuffle and not received.is_in_order,
                class_weight=class_weight,
                sample_weight=sample_weight,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                **kwargs,
            )

    @_in_turn
    def evaluate(
        self,
        x: Array = None,
        y: Array = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Array = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs,
    ) -> Any:
        """Returns the objective and metrics; see `keras.Model.evaluate`.

        The noise restarts at each call, so evaluating twice gives the same numbers.

        Raises:
            ValueError: If the data do not fit this model.
        """
        view, batch_size = None, _size("batch_size", batch_size)
        if not kwargs.get("_use_cached_eval_dataset"):  # not called by `fit`, which has checked
            received = data.receive(self, x, y, sample_weight, batch_size)
            self.meet(received.seen)
            received, batch_size = received.evaluated_by(self, batch_size)
            (x, y, sample_weight), view = received[:3], received.view
        if not self.compiled:  # loaded from a preset: the objective needs no optimizer
            self.compile(dict.fromkeys(self.group_names(self.objective()), "sgd"))
            self._is_for_evaluation = True
        self._follow_settings()
        self.noise.reset_evaluation()
        with told_plainly(view):
            return super().evaluate(
                x,
                y,
                batch_size,
                verbose,
                sample_weight,
                steps=steps,
                callbacks=callbacks,
                return_dict=return_dict,
                **kwargs,
            )

    @_in_turn
    def predict(
        self,
        x: Array,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Returns the output of `call` for all of x, as a NumPy array; see `keras.Model.predict`.

        Raises:
            ValueError: If the data do not fit this model.
        """
        batch_size = _size("batch_size", batch_size)
        received = data.receive(self, x, batch_size=batch_size, for_prediction=True, names=_CALL)
        self._follow_settings()
        received, batch_size = received.evaluated_by(self, batch_size)
        with told_plainly(received.view):
            return super().predict(received.x, batch_size, verbose, steps, callbacks)

    @_in_turn
    def predict_on_batch(self, x: Array) -> Any:
        """Returns the output of `call` for one batch; see `keras.Model.predict_on_batch`."""
        self._check_one_batch(x)
        x = data.receive(self, x, for_prediction=True, names=_CALL).x  # which may build the model
        self._follow_settings()
        return super().predict_on_batch(x)

    @_in_turn
    def train_on_batch(
        self,
        x: Array,
        y: Array = None,
        sample_weight: Array = None,
        class_weight: dict | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one update; see `keras.Model.train_on_batch`.

        Raises:
            ValueError: If the data do not fit this model.
            NonFiniteError: If a cost or a gradient is NaN or infinite. No update is made then.
        """
        self._check_compiled()
        x, y, sample_weight, class_weight = self._one_batch(x, y, sample_weight, class_weight)
        self._follow_settings()
        self.guard.reset_state()
        logs = super().train_on_batch(x, y, sample_weight, class_weight, return_dict)
        self.check_finite(self.guard.state)
        return logs

    @_in_turn
    def test_on_batch(
        self, x: Array, y: Array = None, sample_weight: Array = None, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch; see `keras.Model.test_on_batch`."""
        x, y, sample_weight, _ = self._one_batch(x, y, sample_weight)
        self._follow_settings()
        return super().test_on_batch(x, y, sample_weight, return_dict)

    def _flatten_metrics_in_order(self, logs):
        return [logs[name] for name in dict.fromkeys([*self.metrics_names, *logs]) if name in logs]

    def _with_clock(self, callbacks):
        """Returns the callbacks and one that tells the model the epoch and checks its settings.

        It comes last, so that it runs after the others at the end of an epoch.
        """
        clock = _FitClock(
            on_epoch_begin=lambda epoch, logs: setattr(self, "epoch", epoch),
            on_epoch_end=lambda epoch, logs: self._check_settings(),
        )
        if isinstance(callbacks, keras.callbacks.CallbackList):
            clock.set_model(self)
            others = [c for c in callbacks.callbacks if not isinstance(c, _FitClock)]
            callbacks.callbacks = [*others, clock]  # without that of an earlier `fit`
            return callbacks
        given = callbacks if isinstance(callbacks, list | tuple) else [callbacks] * bool(callbacks)
        return [*given, clock]

    def _check_compiled(self):
        if self.compiled and self.optimizer is None:
            raise ValueError(
                f"{type(self).__name__} was compiled without an optimizer, and cannot be trained. "
                "Give `compile` an optimizer or its name, such as 'adam'."
            )
        if getattr(self, "_is_for_evaluation", False):
            raise ValueError(
                f"You must call `compile()` before you train this {type(self).__name__}: it was "
                "compiled by `evaluate`, without an optimizer from you."
            )

    def _follow_settings(self):
        """Makes the steps compile again if a setting has changed since they were compiled."""
        if self._is_in_fit:  # a callback evaluates
            self._check_settings()
            return
        settings = self.settings()
        if not is_same(settings, getattr(self, "_compiled_settings", settings)):
            self.train_function = self.test_function = self.predict_function = None
        # Set without Keras' `__setattr__`, which would track the layers in it.
        object.__setattr__(self, "_compiled_settings", settings)

    @contextlib.contextmanager
    def _in_fit(self):
        self._is_in_fit = True
        try:
            yield
        finally:
            self._is_in_fit = False

    def _check_settings(self):
        """Raises `RuntimeError` if a setting was changed within `fit`.

        PyTorch would follow the change, and the backends that compile would not.
        """
        if not is_same(self.settings(), self._compiled_settings):
            raise RuntimeError(
                f"A setting of this {type(self).__name__}, such as the weight of a term or what "
                "is trainable, was changed while `fit` ran, probably by a callback. Give it a "
                "schedule that follows the updates, such as keras_vae.LinearAnnealing, or change "
                "it between two calls of `fit`."
            )

    def _tell_directions(self, callbacks):
        """Tells callbacks that monitor a term whether higher or lower values are better.

        Keras only looks at the metrics of `compile`, and there are none.
        """
        callbacks = getattr(callbacks, "callbacks", callbacks) or ()
        objective = self.objective()
        for callback in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
            monitored = str(getattr(callback, "monitor", "")).removeprefix("val_")
            if getattr(callback, "mode", None) == "auto" and monitored in objective:
                callback.mode = objective[monitored].direction

    def costs(self, data_of_step: Any, training: bool) -> Any:
        """Runs the model on a batch, as its step does; see `keras_vae.steps.step`."""
        return data.inside(super().costs)(data_of_step, training)

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, compiled and returning NumPy
        arrays; see the backend's step."""
        return super().jitted(data.inside(function))

    def as_arrays(self, x: Any) -> Any:
        """Returns user input as numbers: here x itself. Models of texts convert them here."""
        return x

    # Checks, before anything is traced.

    @property
    def takes_pairs(self) -> bool:
        """Whether the model takes a condition, or learns to predict a target, for each example."""
        return False

    @property
    def allows_missing(self) -> bool:
        """Whether NaN in x means "not observed", rather than an error."""
        return False

    @property
    def predicts_from_pairs(self) -> bool:
        """Whether `call` also takes the conditions."""
        return False

    @property
    def takes_labels(self) -> bool:
        """Whether the conditions or targets of the model are class labels."""
        return False

    def check_condition(self, y: Array, x: Array, name: str = "y") -> Any:
        """Returns the labels, conditions or targets `y`; raises `ValueError` if they do not fit."""
        # Autoencoders are often trained with `fit(x, x)`, also from data sets of (x, x).
        if y is None or y is x:
            return None
        y = to_numpy(y, name)
        if y.shape != x.shape:
            raise ValueError(
                f"{type(self).__name__} is trained on `x` alone, but `{name}` was given (shape "
                f"{y.shape}). It cannot use labels: drop them, e.g. with `dataset.map(lambda x, y: "
                "x)`, or use a conditional model."
            )
        if np.array_equal(x, y):
            return None
        if not self.can_denoise:
            raise ValueError(
                f"{type(self).__name__} is trained on `x` alone, but `{name}` was given (shape "
                f"{y.shape}). Autoencoder, VAE and VQVAE can be trained as denoisers, with "
                "`fit(noisy, clean)`; others cannot."
            )
        self.check_examples(y, name)
        return y

    def conditions_for(self, condition: Array, num_examples: int) -> tuple:
        """Returns `()`, or in a conditional model `(conditions (N, ...),)`, after checking them.

        Raises:
            ValueError: If the model takes no condition, or the condition is not valid.
        """
        if condition is None:
            return ()
        raise ValueError(f"{type(self).__name__} has no `condition`: use a conditional model.")

    def check_values(self, x: np.ndarray, name: str = "x") -> None:
        """Raises `ValueError` if the NumPy array x holds a value that is invalid for this model."""

    def advise(self, x: np.ndarray) -> None:
        """Warns if data passed to `fit`, all or one batch, are valid but probably a mistake."""

    def check_examples(self, x: np.ndarray, name: str = "x") -> None:
        """Raises `ValueError` if the NumPy array `x` (N, S) cannot be data of this model."""
        check_examples(x, self.data_shape, name, self.check_values, self.allows_missing)

    def check_and_build(self, x: np.ndarray, name: str = "x") -> None:
        """Checks examples, and builds the model if its data shape was unknown."""
        self.check_examples(x, name)
        if not self.built:
            self.build((None, *x.shape[1:]))
        self.make_trackers()

    def check_inputs(self, x: Array, condition: Array = None) -> tuple:
        """Returns `(x,)` or `(x, condition)` as NumPy arrays, after checking that they are data of
        this model.

        Args:
            x: Array (N, S), or a data set of x or of (x, condition), which is read to its end.
            condition: One condition for all examples, an array (N, ...) of one for each, or `None`.

        Raises:
            ValueError: If the shape, type, range or a value is wrong; the message says which.
        """
        x, condition = data.gathered(self, x, condition)
        self.check_and_build(x)
        return (x, *self.conditions_for(condition, len(x)))

    def _one_batch(self, x, y, sample_weight, class_weight=None):
        """Returns one batch in the form that Keras takes, NumPy arrays."""
        self._check_one_batch(x)
        received = data.receive(self, x, y, sample_weight)
        self.meet(received.seen)
        if class_weight is not None:
            received, class_weight = self._weighed(received, class_weight)
        return (*received[:3], class_weight)

    def _check_one_batch(self, x):
        is_of_arrays = is_array(x) or is_frame(x) or isinstance(x, list | tuple | dict)
        if not is_of_arrays and hasattr(x, "__iter__"):
            raise ValueError(
                f"`x` must be one batch, as an array. Received: a {type(x).__name__}. Pass "
                "datasets to `fit`, `evaluate` and `predict`."
            )

    def _weighed(self, received, class_weight):
        """Returns `received` with `class_weight` multiplied into the weights of arrays, and the
        class weights that are left to Keras: those for a data set."""
        if not self.takes_labels:
            raise ValueError(
                f"`class_weight` weights examples by their labels, but {type(self).__name__} takes "
                "no labels. Use `sample_weight` instead."
            )
        class_weight = check_class_weight(class_weight)
        if not received.is_arrays:
            return received, class_weight
        labels = received.y if received.y.ndim == 1 else received.y.argmax(axis=-1)
        weights = np.array([class_weight.get(int(k), 1.0) for k in labels], "float32")
        if received.sample_weight is not None:
            weights = weights * received.sample_weight
        return received._replace(sample_weight=weights), None

    def _num_steps(self):
        """Returns the number of training steps so far, saved with the optimizer; orders batches."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        # `iterations` counts updates. If gradients are accumulated over epochs it would not change,
        # and each epoch would have the same order.
        steps = getattr(optimizer, "_iterations", optimizer.iterations)
        return int(ops.convert_to_numpy(steps))


class _FitClock(keras.callbacks.LambdaCallback):
    """Runs after the other callbacks of `fit`, for its model."""


# Arguments of `compile` that Keras saves but that mean nothing for a model with its own objective.
_TRAINED = "trained_layers"  # those that the optimizer was built for, if they differ now
_OBJECTIVE_ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics")
_CALL = ("x", "condition")


def _size(argument, value):
    return None if value is None else check_count(argument, value)
