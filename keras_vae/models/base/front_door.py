"""Keras' front door: what users call to train, evaluate and predict, with its checks of data."""

import contextlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.datasets import Batches
from keras_vae.models.base import inputs
from keras_vae.models.base.group_optimizer import check_optimizer
from keras_vae.typing import Array


class FrontDoor:
    """The methods of `keras.Model` that take data, for a model with its own objective.

    They check what they are given before anything is traced, with the same errors on every backend.
    """

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

        The loss is the model's own, so there is no `loss` to give, and metrics on y have
        nothing to compare: its metrics are its terms.

        Args:
            optimizer: an optimizer of Keras, or its name. Of a model with several groups of
                weights also `{group: optimizer}`, one for each; see `objective`.
            jit_compile, run_eagerly, steps_per_execution, auto_scale_loss: as for Keras.

        Raises:
            TypeError: If `loss`, `metrics` or another argument without a meaning here is given.
            ValueError: If the optimizers are not those of the model's groups.
        """
        given = [k for k, v in unexpected.items() if v is not None]
        if given:
            raise TypeError(
                f"{type(self).__name__}.compile() takes no {', '.join(map(repr, given))}: the "
                "model brings its own objective, in nats, and logs its terms "
                f"({', '.join(self.objective())}). Give an optimizer only; weights of terms, such "
                "as `kl_weight`, go to the constructor."
            )
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
        config = super().get_compile_config()
        return {k: v for k, v in config.items() if k not in _OBJECTIVE_ARGUMENTS}

    def compile_from_config(self, config: dict) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.build_optimizer()

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

        Arrays are shuffled by `keras_vae.datasets.Batches` in an order that follows from the
        model's seed and the steps made so far: the same on every backend, and the same in a
        resumed run as in an uninterrupted one.

        Raises:
            ValueError: If the model cannot learn from the data, before the first step.
            NonFiniteError: If a cost or a gradient becomes NaN or infinite. The weights are those
                of before the batch that it names.
        """
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = inputs.split_off(
                x, y, sample_weight, validation_split
            )
        x, y = self._checked(x, y)
        y = inputs.target(x, y, sample_weight)
        if validation_data is not None:
            validation_data = self._checked_validation(validation_data)
        if inputs.is_array(x) and shuffle is True and steps_per_epoch is None:
            x = Batches(
                x,
                y,
                sample_weight,
                batch_size=32 if batch_size is None else batch_size,
                seed=self.noise.seed,
            )
            y = sample_weight = batch_size = None
        self._check_compiled()
        self._follow_weights()
        self._tell_directions(callbacks)
        is_ordered = isinstance(x, Batches)
        with x.timed_by(self._num_steps) if is_ordered else contextlib.nullcontext():
            return super().fit(
                x=x,
                y=y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=self._with_clock(callbacks),
                validation_data=validation_data,
                shuffle=shuffle and not is_ordered,  # Keras would shuffle the batches once more
                class_weight=class_weight,
                sample_weight=sample_weight,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                **kwargs,
            )

    def evaluate(
        self,
        x: Array = None,
        y: Array = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Array = None,
        **kwargs,
    ) -> Any:
        """Returns the objective and metrics; see `keras.Model.evaluate`.

        Noise starts anew at each call: evaluating twice gives the same numbers.

        Raises:
            ValueError: If the data do not fit this model.
        """
        if not kwargs.get("_use_cached_eval_dataset"):  # not called by `fit`, which has checked
            x, y = self._checked(x, y)
            y = inputs.target(x, y, sample_weight)
        if not self.compiled:  # fresh from a preset: the objective is known without an optimizer
            self.compile(dict.fromkeys(self.group_names(self.objective()), "sgd"))
            self._is_for_evaluation = True
        self._follow_weights()
        self.noise.reset_evaluation()
        return super().evaluate(x, y, batch_size, verbose, sample_weight, **kwargs)

    def predict(
        self, x: Array, batch_size: int | None = None, verbose: int | str = "auto", **kwargs
    ) -> Any:
        """Returns what `call` gives for all of x, as a NumPy array; see `keras.Model.predict`.

        Raises:
            ValueError: If the data do not fit this model.
        """
        return super().predict(self.checked_inputs(x), batch_size, verbose, **kwargs)

    def predict_on_batch(self, x: Array) -> Any:
        """Returns what `call` gives for one batch; see `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(self.checked_inputs(x))

    def train_on_batch(
        self, x: Array, y: Array = None, sample_weight: Array = None, **kwargs
    ) -> Any:
        """Makes one update; see `keras.Model.train_on_batch`.

        Raises:
            ValueError: If the model cannot learn from the data.
            NonFiniteError: If a cost or a gradient is NaN or infinite. No update is made then.
        """
        self._check_compiled()
        self._follow_weights()
        x, y = self._checked(x, y)
        y = inputs.target(x, y, sample_weight)
        self.guard.reset_state()
        logs = super().train_on_batch(x, y, sample_weight, **kwargs)
        self.check_finite(self.guard.state)
        return logs

    def test_on_batch(
        self, x: Array, y: Array = None, sample_weight: Array = None, **kwargs
    ) -> Any:
        """Evaluates one batch; see `keras.Model.test_on_batch`."""
        x, y = self._checked(x, y)
        y = inputs.target(x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, **kwargs)

    def _flatten_metrics_in_order(self, logs):
        return [logs[name] for name in self.metrics_names if name in logs]

    def _with_clock(self, callbacks):
        """Returns the callbacks and one that tells the model the epoch."""
        clock = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: setattr(self, "epoch", epoch)
        )
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(clock)
            return callbacks
        given = callbacks if isinstance(callbacks, list | tuple) else [callbacks] * bool(callbacks)
        return [clock, *given]

    def _check_compiled(self):
        if getattr(self, "_is_for_evaluation", False):
            raise ValueError(
                f"You must call `compile()` before you train this {type(self).__name__}: it was "
                "compiled without an optimizer of yours, by `evaluate`."
            )

    def _follow_weights(self):
        """Has the steps compiled anew where a weight of a term has been changed since."""
        terms = self.objective().items()
        weights = hash(tuple((name, t.train, t.evaluate, t.group) for name, t in terms))
        if weights != getattr(self, "_compiled_weights", weights):
            self.train_function = self.test_function = None
        self._compiled_weights = weights

    def _tell_directions(self, callbacks):
        """Tells callbacks that monitor a term which values of it are better.

        Keras asks the metrics of `compile` alone, and there are none.
        """
        callbacks = getattr(callbacks, "callbacks", callbacks) or ()
        objective = self.objective()
        for callback in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
            monitored = str(getattr(callback, "monitor", "")).removeprefix("val_")
            if getattr(callback, "mode", None) == "auto" and monitored in objective:
                callback.mode = objective[monitored].direction

    # Checks, before anything is traced.

    def check_condition(self, y: Array, x: Array, name: str = "y") -> Any:
        """Raises `ValueError` where labels or conditions `y` do not fit; returns y."""
        # `fit(x, x)` is how autoencoders are often trained, from data sets of (x, x) too.
        if y is None or y is x or np.array_equal(inputs.to_numpy(y), inputs.to_numpy(x)):
            return None
        raise ValueError(
            f"{type(self).__name__} is trained on `x` alone, and `{name}` was given (shape "
            f"{getattr(y, 'shape', None)}). Labels have no place in it: drop them, e.g. with "
            "`dataset.map(lambda x, y: x)`, or use a conditional model."
        )

    def conditions_for(self, condition: Array, num_examples: int) -> tuple:
        """Returns `()`, or in a conditional model `(conditions (N, ...),)`, after checking them.

        Raises:
            ValueError: If the model takes no condition, or the condition is not valid.
        """
        if condition is None:
            return ()
        raise ValueError(f"{type(self).__name__} has no `condition`: use a conditional model.")

    def check_examples(self, x: Array, name: str = "x") -> None:
        """Raises `ValueError` where the NumPy array `x` (N, S) cannot be data of this model."""
        inputs.check_examples(x, self.data_shape, name)

    def check_inputs(self, x: Array, condition: Array = None) -> tuple:
        """Returns `(x,)` or `(x, condition)` as NumPy arrays, after checking that they are data of
        this model.

        Raises:
            ValueError: If the shape, type, range or a value is wrong; the message says which.
        """
        x = inputs.to_numpy(x)
        self._check_and_build(x, "x")
        return (x, *self.conditions_for(condition, len(x)))

    def checked_inputs(self, x: Array) -> Any:
        """Returns what `predict` may be given, after checking it."""
        return self._checked(x, None)[0]

    def checked_examples(self, x: Array) -> Any:
        """As `checked_inputs`, of a model whose data are pairs, but not those it predicts from."""
        if inputs.is_array(x) or isinstance(x, list | tuple):
            return self.check_inputs(x)[0]
        batch, x = inputs.first_batch(x)
        self._check_and_build(keras.utils.unpack_x_y_sample_weight(batch)[0], "x")
        return x

    def _checked(self, x, y, names=("x", "y")):
        """Checks data; builds the model where it had not the shape."""
        if inputs.is_array(x) or isinstance(x, list | tuple):
            x = inputs.to_numpy(x) if isinstance(x, list | tuple) else x
            self._check_and_build(inputs.to_numpy(x), names[0])
            return x, self.check_condition(y, x, names[1])
        batch, x = inputs.first_batch(x, names[0])
        sample, condition, _ = keras.utils.unpack_x_y_sample_weight(batch)
        self._check_and_build(sample, names[0])
        self.check_condition(condition, sample, names[1])
        return x, y

    def _check_and_build(self, sample, name):
        self.check_examples(sample, name)
        if not self.built:
            self.build((None, *sample.shape[1:]))
        self.make_trackers()

    def _checked_validation(self, data):
        names = ("validation_data[0]", "validation_data[1]")
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x, y = self._checked(x, y, names)
        if sample_weight is not None:
            return x, inputs.target(x, y, sample_weight), sample_weight
        return (x, y) if inputs.is_array(x) else x

    def _num_steps(self):
        """Returns the train steps made so far, saved with the optimizer: the clock of batches."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        # `iterations` counts updates, and would stand still where gradients are accumulated over
        # epochs, so that each would have the same order.
        steps = getattr(optimizer, "_iterations", optimizer.iterations)
        return int(ops.convert_to_numpy(steps))


# What Keras keeps of `compile` that has no meaning for a model with its own objective.
_OBJECTIVE_ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics")
