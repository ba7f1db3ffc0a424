"""The base of every family: what users call, and what a train step asks for."""

import contextlib
import copy

import keras
import numpy as np
from keras import ops

from keras_vae import evaluation
from keras_vae.datasets import Batches
from keras_vae.models.base import inputs
from keras_vae.models.saving import preset_model
from keras_vae.noise import NoiseSource
from keras_vae.steps import BackendStep
from keras_vae.steps import WeightGroup


class GenerativeModel(BackendStep, keras.Model):
    """Base class: a `keras.Model` trained on terms in nats.

    A family says what its terms are; the base and the backend's step do the rest:

    - `terms(x, y, training)` returns the costs of each example, `{name: (B,)}` in nats, and what
      else metrics are made of;
    - `term_weights()` the weight of each in training: a number, or a schedule of the optimizer's
      iterations;
    - `evaluation_weights()` their weights in evaluation, by default 1 each: the objective of
      `evaluate` is the bound itself, whatever was annealed in training;
    - `metric_names()` the names that appear in the logs: terms, or `reports` made of them;
    - `weight_groups()`, where parts of the model descend different costs (adversarial models).

    Logs are means over examples, in nats: a short last batch counts by its size, `val_*` has the
    same names, and `sample_weight` weighs examples in both costs and logs.

    Args:
        seed: int in [0, 2**31), from which all of the model's noise and the order of its batches
            follow; `None` for a fresh one. Saved with the model.
    """

    def __init__(self, seed=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.data_shape = None  # of one example; known once the model is built
        self.noise = NoiseSource(seed, self.seed_generator_class, name="noise")
        self.trackers = {n: self.metric(n) for n in self.metric_names()}

    # What a family gives.

    def terms(self, x, y=None, training=False):
        """Returns the costs of each example, `{name: (B,)}` in nats, for x (B, S) in float32."""
        raise NotImplementedError(f"{type(self).__name__} must define `terms`.")

    def term_weights(self):
        """Returns `{term: number or schedule}`, the weights in training."""
        raise NotImplementedError(f"{type(self).__name__} must define `term_weights`.")

    def evaluation_weights(self):
        """Returns `{term: number}`, the weights of the objective in evaluation."""
        return dict.fromkeys(self.term_weights(), 1.0)

    def metric_names(self):
        """Returns the names of terms and reports that appear in the logs."""
        raise NotImplementedError(f"{type(self).__name__} must define `metric_names`.")

    def metric(self, name):
        """Returns the Keras metric behind a name in the logs, by default a mean over examples."""
        return keras.metrics.Mean(name=name)

    def reports(self, terms):
        """Returns further quantities of each example for the logs, made of its terms."""
        return {}

    def weight_groups(self):
        """Returns `{name: WeightGroup}`: which variables descend which terms."""
        return {"all": WeightGroup(self.trainable_variables, self.term_weights())}

    def split_variables(self, part):
        """Returns the trainable variables of a part, and those of the rest of the model."""
        own = {id(v) for v in part.trainable_variables}
        others = [v for v in self.trainable_variables if id(v) not in own]
        return part.trainable_variables, others

    def log_importance_weights(self, x, num_samples, y=None):
        """Returns log p(x, z) - log q(z|x), (K, B) nats, for K draws of z each."""
        raise NotImplementedError(f"{type(self).__name__} has no likelihood to estimate.")

    def check_condition(self, y, x, name="y"):
        """Raises `ValueError` where labels or conditions `y` do not fit; returns y."""
        # `fit(x, x)` is how autoencoders are often trained, from data sets of (x, x) too.
        if y is None or y is x or np.array_equal(inputs.to_numpy(y), inputs.to_numpy(x)):
            return None
        raise ValueError(
            f"{type(self).__name__} is trained on `x` alone, and `{name}` was given (shape "
            f"{getattr(y, 'shape', None)}). Labels have no place in it: drop them, e.g. with "
            "`dataset.map(lambda x, y: x)`, or use a conditional model."
        )

    def conditions_for(self, condition, num_examples):
        """Returns `()`, or in a conditional model `(conditions (N, ...),)`, after checking them.

        Raises:
            ValueError: a condition where there is no place for one, or a bad one.
        """
        if condition is None:
            return ()
        raise ValueError(f"{type(self).__name__} has no `condition`: use a conditional model.")

    def check_examples(self, x, name="x"):
        """Raises `ValueError` where the NumPy array `x` (N, S) cannot be data of this model."""
        inputs.check_examples(x, self.data_shape, name)

    # Training and evaluation.

    def compile(
        self,
        optimizer="adam",
        *,
        jit_compile="auto",
        run_eagerly=False,
        steps_per_execution=1,
        auto_scale_loss=True,
        **unexpected,
    ):
        """Configures training; see `keras.Model.compile`.

        The loss is the model's own, so there is no `loss` to give, and metrics on y have
        nothing to compare: its metrics are its terms.

        Raises:
            TypeError: `loss`, `metrics` or another argument without a meaning here was given.
        """
        given = [k for k, v in unexpected.items() if v is not None]
        if given:
            raise TypeError(
                f"{type(self).__name__}.compile() takes no {', '.join(map(repr, given))}: the "
                "model brings its own objective, in nats, and logs its terms "
                f"({', '.join(self.trackers)}). Give an optimizer only; weights of terms, such as "
                "`kl_weight`, go to the constructor."
            )
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=auto_scale_loss,
        )

    def get_compile_config(self):
        config = super().get_compile_config()
        return {k: v for k, v in config.items() if k not in _OBJECTIVE_ARGUMENTS}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        **kwargs,
    ):
        """Trains the model; see `keras.Model.fit`.

        Arrays are shuffled by `keras_vae.datasets.Batches` in an order that follows from the
        model's seed and the steps made so far: the same on every backend, and the same in a
        resumed run as in an uninterrupted one.

        Raises:
            ValueError: data the model cannot learn from, before the first step.
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
        is_ordered = isinstance(x, Batches)
        with x.timed_by(self._num_steps) if is_ordered else contextlib.nullcontext():
            return super().fit(
                x=x,
                y=y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=validation_data,
                shuffle=shuffle and not is_ordered,  # Keras would shuffle the batches once more
                class_weight=class_weight,
                sample_weight=sample_weight,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                **kwargs,
            )

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, **kwargs
    ):
        """Returns the objective and metrics; see `keras.Model.evaluate`.

        Noise starts anew at each call: evaluating twice gives the same numbers.

        Raises:
            ValueError: data that are not this model's.
        """
        if not kwargs.get("_use_cached_eval_dataset"):  # not called by `fit`, which has checked
            x, y = self._checked(x, y)
            y = inputs.target(x, y, sample_weight)
        if not self.compiled:  # fresh from a preset: the objective is known without an optimizer
            self.compile()
        self.noise.reset_evaluation()
        return super().evaluate(x, y, batch_size, verbose, sample_weight, **kwargs)

    def predict(self, x, batch_size=None, verbose="auto", **kwargs):
        """Returns what `call` gives for all of x, as a NumPy array; see `keras.Model.predict`.

        Raises:
            ValueError: data that are not this model's.
        """
        return super().predict(self.checked_inputs(x), batch_size, verbose, **kwargs)

    def predict_on_batch(self, x):
        """Returns what `call` gives for one batch; see `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(self.checked_inputs(x))

    def train_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        """Makes one update; see `keras.Model.train_on_batch`."""
        x, y = self._checked(x, y)
        y = inputs.target(x, y, sample_weight)
        return super().train_on_batch(x, y, sample_weight, **kwargs)

    def test_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        """Evaluates one batch; see `keras.Model.test_on_batch`."""
        x, y = self._checked(x, y)
        y = inputs.target(x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, **kwargs)

    def parts(self):
        """Returns `{constructor argument: layer}`, the parts that hold the weights."""
        return {}

    def get_config(self):
        """Returns the constructor's arguments, its parts among them; a family adds its own."""
        return {
            **{k: _serialized(v) for k, v in self.parts().items()},
            "seed": self.noise.seed,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config):
        # Keras empties the configs of functional models as it reads them: the caller keeps his.
        return cls(**keras.saving.deserialize_keras_object(copy.deepcopy(config)))

    # Scores and presets.

    def log_likelihood(self, x, num_samples=1000, seed=None, condition=None, **kwargs):
        """Estimates log p(x) by importance sampling; see `keras_vae.evaluation.log_likelihood`.

        Returns:
            NumPy array (N,), nats: a lower bound in expectation, tight as `num_samples` grows.
        """
        return evaluation.log_likelihood(
            self, x, num_samples, condition=condition, seed=seed, **kwargs
        )

    def save_to_preset(self, folder):
        """Writes `config.json` and `model.safetensors` into `folder`, both or neither.

        The preset holds the architecture and the weights, readable on every backend; not the
        optimizer nor the noise, which `model.save("x.keras")` keeps for resuming. A kill or a full
        disk leaves what the folder held.

        Raises:
            ValueError: the model is not built, could not be read again (Lambda layers, classes
                that are not registered), or has weights that are not finite. Nothing is written.
            OSError: the disk is full, or the folder cannot be written to.
        """
        preset_model.save_model(self, folder)

    @classmethod
    def from_preset(cls, name_or_folder):
        """Returns the model of a preset with its weights.

        A preset of unknown origin runs no code of its own: it may name registered classes and
        Keras' own layers but `Lambda`, and make no more weights than its file holds.

        Args:
            name_or_folder: a name that `keras_vae.presets.names()` lists, a folder written by
                `save_to_preset`, or `hf://owner/name`.

        Raises:
            ValueError: unknown name, damaged files, or a preset of another class.
            OSError: weights that are not here, and cannot be fetched.
        """
        return preset_model.load_model(name_or_folder, cls)

    # Checks, before anything is traced.

    def check_inputs(self, x, condition=None):
        """Returns `(x,)` or `(x, condition)` as NumPy arrays, after checking that they are data of
        this model.

        Raises:
            ValueError: wrong shape, type, range or values; see the message.
        """
        x = inputs.to_numpy(x)
        self._check_and_build(x, "x")
        return (x, *self.conditions_for(condition, len(x)))

    def checked_inputs(self, x):
        """Returns what `predict` may be given, after checking it."""
        return self._checked(x, None)[0]

    def checked_examples(self, x):
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


def _serialized(part):
    config = keras.saving.serialize_keras_object(part)
    config.pop("compile_config", None)  # of a part that is a model, and was trained on its own
    return config
