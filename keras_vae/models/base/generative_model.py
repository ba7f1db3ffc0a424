"""The base class of all models: what a family defines, and what follows from that."""

import abc
import copy
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any
from typing import Literal
from typing import TypeAlias

import keras
import numpy as np
from keras import ops

from keras_vae.metrics.term_means import TermMeans
from keras_vae.models.base import arguments
from keras_vae.models.base.any_size import at_probe
from keras_vae.models.base.arguments import Arguments
from keras_vae.models.base.files import Files
from keras_vae.models.base.front_door import FrontDoor
from keras_vae.models.base.kept_functions import KeptFunctions
from keras_vae.models.base.subclass_checks import check_metrics
from keras_vae.models.base.subclass_checks import check_objective
from keras_vae.models.base.term import MAIN
from keras_vae.models.base.term import Term
from keras_vae.models.saving import blank_weights
from keras_vae.models.saving import frozen_layers
from keras_vae.noise import NoiseSource
from keras_vae.steps import BackendStep
from keras_vae.steps.clock import Clock
from keras_vae.steps.guard import Guard
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

LikelihoodKind: TypeAlias = Literal["exact", "estimate", "bound"]
EncodingKind: TypeAlias = Literal["posterior", "posteriors", "codes", "point"]


class Family(abc.ABCMeta, type(keras.Model)):
    """Metaclass of models: completes a model after its outermost constructor.

    Only then do all parts exist, including those of subclasses. The constructor's arguments are
    recorded for `get_config`, and the model is built if the shape of its data is known, so that it
    has a summary, weights to load and optimizer slots to restore before it sees data.
    """

    def __call__(cls, *args, **kwargs):
        model = super().__call__(*args, **kwargs)
        model.complete(Arguments(model, args, kwargs))
        return model


class GenerativeModel(Files, FrontDoor, BackendStep, keras.Model, metaclass=Family):
    """Base class: a `keras.Model` trained on terms in nats.

    A family defines two methods; the base class and the backend's step do the rest:

    - `objective()`, a dict `{name: Term}` that gives the weight of each term in training and in
      evaluation, and the part of the model that is trained on it;
    - `terms(x, c, training)`, the terms of a batch: `{name: (B,)}`, in nats per example, or scalars
      for the whole batch.

    Training, logs, groups of weights, one or several optimizers, saving and loading follow from
    these. Logs are means over examples, in nats: a short last batch counts by its size, `val_*` has
    the same names, and `sample_weight` weights examples in costs and logs alike.

    `get_config` follows from the constructor's arguments, which may be numbers, strings, layers,
    schedules, or lists and dicts of these. A subclass that takes `**kwargs` must pass `seed`,
    `name` and `dtype` on.

    Args:
        seed: Integer in [0, 2**31), or `None` for a fresh one. Determines all noise of the model
            and the order of its batches. It is saved with the model.

    Attributes of the class describe a family to the programs that measure models or write their
    cards. The defaults are those of a model that only has terms.

    Attributes:
        log_likelihood_is: What `log_likelihood` returns: "exact", log p(x) itself; "estimate", from
            `num_samples` draws; "bound", a lower bound without draws; or `None` if the family has
            no likelihood.
        encode_gives: What `encode` returns: "posterior", a distribution; "posteriors", a list of
            one for each level; "codes", a `Quantized`, or a list of one for each level; "point", z
            itself; or `None` if the family has no `encode`.
        sample_draws: How `sample` draws: "latents", which are then decoded; "elements" of x, one
            after the other; or `None` if the family cannot sample.
        can_reconstruct: Whether the family has `reconstruct`.
        discriminates: What the family's `discriminator`, if any, distinguishes: "codes" or "data".
        fixed_likelihood: The class of the likelihood, if the constructor does not take one;
            otherwise `None`.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class Regression(keras_vae.GenerativeModel):
        def __init__(self, network, **kwargs):
            super().__init__(**kwargs)
            self.network = network

        def objective(self):
            return {"error": keras_vae.Term(evaluate=1.0)}

        def terms(self, x, c=None, training=False):
            error = keras.ops.square(x - self.network(x, training=training))
            return {"error": keras.ops.sum(error, axis=-1)}
    ```
    """

    log_likelihood_is: LikelihoodKind | None = None
    encode_gives: EncodingKind | None = None
    sample_draws: Literal["latents", "elements"] | None = None
    can_reconstruct: bool = False
    discriminates: Literal["codes", "data"] = "codes"
    fixed_likelihood: type | None = None

    def __init__(self, seed: int | None = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.data_shape: Shape | None = None  # of one example; set by `build`
        self.trackers: dict[str, keras.metrics.Metric] | None = None  # made by `build`
        self.noise = NoiseSource(seed, self.seed_generator_class, name="noise")
        self.lock, self.made_in_process = threading.RLock(), os.getpid()
        self._kept_functions = KeptFunctions()
        self._flags_to_come: dict[str, bool] = {}  # of layers that `build` creates

    # What a family defines.

    def objective(self) -> dict[str, Term]:
        """Returns `{name: Term}`: the weights of each term, and the group of weights it trains."""
        raise NotImplementedError(f"{type(self).__name__} must define `objective`.")

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict:
        """Returns `{name: (B,) or scalar}` for x (B, S) in float32, and c as `given` returns it.

        In evaluation, terms that are neither logged nor weighted there may be left out.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `terms`.")

    def terms_of(self, x: Tensor, y: Tensor = None, training: bool = False) -> dict:
        """Returns the `terms` of a batch that `fit` was given, x (B, S) in float32.

        A family whose `terms` take `target` learns to denoise if y is another x: it encodes x, and
        evaluates the likelihood at the target.
        """
        c, target = self.given(y, training), {}
        if y is not None and len(y.shape) == len(x.shape) and self.can_denoise:
            target = {"target": ops.cast(y, "float32")}
        return self.terms(x, c, training, **target)

    @property
    def can_denoise(self) -> bool:
        """Whether `fit(noisy, clean)` trains a denoiser: `terms` take `target`."""
        return not self.takes_pairs and "target" in inspect.signature(self.terms).parameters

    def switches(self) -> dict:
        """Returns `{group: variable or schedule}` for groups that are not updated at every step.

        While the value is 0, the group's weights and the state of its optimizer do not change, as
        for a discriminator that starts late. Requires a separate optimizer for each group.
        """
        return {}

    def given(self, y: Array = None, training: bool = False) -> Tensor:
        """Returns c, the second argument of `terms`, from the y that `fit` was given: here `None`.

        Conditions are embedded only here; all other internal methods receive c.
        """
        return None

    def known_shape(self) -> tuple | None:
        """Returns the shape of a batch of x, (None, *S), or `None` if no part knows it."""
        return None

    # What follows.

    def complete(self, constructed_with: Arguments) -> None:
        """Finishes construction; called by the metaclass after the constructor.

        Args:
            constructed_with: `Arguments`.
        """
        self._arguments = constructed_with
        if not self.built and (shape := self.known_shape()):
            self.build(shape)
        if self.built:
            self.make_trackers()

    def make_trackers(self) -> None:
        """Creates the metrics of the objective's terms, once the model is built.

        Means are computed together, in `term_means`; `trackers` holds the other metrics by name.
        """
        if self.trackers is None:
            check_objective(self)
            logged = {k: t for k, t in self.objective().items() if t.metric is not None}
            averaged = [k for k, t in logged.items() if t.metric is keras.metrics.Mean]
            self._tracker.unlock()  # as Keras does for layers that grow after `build`
            self.clock, self.guard = Clock(), Guard()
            self.term_means = TermMeans(["loss", *averaged])
            self.trackers = {k: t.metric(name=k) for k, t in logged.items() if k not in averaged}
            self._tracker.lock()
            check_metrics(self)

    @property
    def metrics_names(self) -> list[str]:
        """Names of the logged quantities, in the order in which `evaluate` returns them."""
        return [*self.logged_terms(), *[m.name for m in self.further_metrics()]]

    def logged_terms(self) -> list[str]:
        """Returns "loss" and the names of the terms that the model logs."""
        return ["loss", *[k for k, t in self.objective().items() if t.metric is not None]]

    def further_metrics(self) -> list[keras.metrics.Metric]:
        """Returns the metrics that a subclass has beside those of the objective."""
        if self.trackers is None:
            return []
        own = [self.clock, self.guard, self.term_means, *self.trackers.values()]
        return [m for m in self.metrics if not any(m is o for o in own)]

    def group_names(self, objective: dict[str, Term]) -> list[str]:
        """Returns the names of the groups of weights. The last, "main", holds all other weights."""
        named = dict.fromkeys(term.group for term in objective.values() if term.group != MAIN)
        main_learns = any(term.teaches and term.group == MAIN for term in objective.values())
        return [*named, *[MAIN] * main_learns]

    def groups(self) -> dict[str, list]:
        """Returns `{group: trainable variables}`, in the order of `group_names`.

        Raises:
            ValueError: If a term's group is not an attribute with layers, two groups share a
                variable, or no term trains a trainable variable.
        """
        groups: dict[str, list] = {}
        taken: dict[int, str] = {}
        names = self.group_names(self.objective())
        for name in names:
            groups[name] = [] if name == MAIN else _variables_of(self, name)
            for variable in groups[name]:
                if (other := taken.setdefault(id(variable), name)) != name:
                    raise ValueError(
                        f"The groups {other!r} and {name!r} of {type(self).__name__} share the "
                        f"variable {variable.path!r}. A variable can be trained on the cost of one "
                        "group only."
                    )
        rest = [v for v in self.trainable_variables if id(v) not in taken]
        if MAIN in names:
            groups[MAIN] = rest
        elif rest:
            raise ValueError(
                f"`objective` of {type(self).__name__} leaves out {[v.path for v in rest]}. Every "
                "trainable variable must belong to the group of a term: name their group, or "
                "freeze them."
            )
        return groups

    def build(self, input_shape: tuple) -> None:
        """Builds every part from the shape of a batch of x, (None, *S)."""
        if self.built:  # loading a `.keras` file calls it again
            return
        self.data_shape = tuple(input_shape[1:])
        self.build_parts()
        if not all(layer.built for layer in self._flatten_layers(include_self=False)):
            self._run_symbolically()
        self._apply_flags()

    def build_parts(self) -> None:
        """Builds the parts that are not built by calling them in `terms`."""

    def symbolic_pair(self) -> tuple[keras.KerasTensor, ...]:
        """Returns the `KerasTensor`s of a batch that `fit` takes: `(x,)`, or `(x, y)`."""
        return (keras.KerasTensor((None, *self.data_shape), "float32"),)

    def probes(self) -> tuple[keras.KerasTensor, ...]:
        """Returns what `symbolic_pair` does, with a fixed height and width instead of any size."""
        pair = self.symbolic_pair()
        return tuple(keras.KerasTensor((t.shape[0], *at_probe(t.shape[1:])), t.dtype) for t in pair)

    @property
    def input_shape(self) -> Any:
        """Shape of a batch of x, (None, *S); in a conditional model, a list of this and of the
        shape of the conditions."""
        self._check_built("input_shape")
        shapes = [tuple(t.shape) for t in self.symbolic_pair()]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """Shape of the output of `predict` for a batch."""
        self._check_built("output_shape")
        inputs = self.symbolic_pair()
        spec = self.compute_output_spec(inputs[0] if len(inputs) == 1 else inputs)
        return keras.tree.map_structure(lambda s: tuple(s.shape), spec)

    def jitted_once(self, key: Any, function: Callable) -> Callable:
        """Returns `jitted(function)`, cached by `key`.

        Args:
            key: Hashable; identifies everything that `function` depends on besides the model.
            function: Function of arrays; see `jitted`.
        """
        return self._kept_functions.get(self, key, function)

    def settings(self) -> list:
        """Returns the constants of a compiled function of the model, as they are now: weights of
        terms, constructor arguments that are not layers, settings of layers, and methods replaced
        on the instance."""
        terms = [(k, t.train, t.evaluate, t.group) for k, t in self.objective().items()]
        layers = [
            [layer.dtype_policy.name, layer.trainable, *arguments.settings_of(layer)]
            for layer in self._flatten_layers()
        ]
        own = [v for v in self._arguments.of(self).values() if not isinstance(v, keras.Layer)]
        methods = [v for k, v in vars(self).items() if callable(v) and hasattr(type(self), k)]
        return arguments.snapshot([*terms, *layers, *own, *methods])

    def parts(self) -> dict[str, keras.Layer]:
        """Returns `{constructor argument: layer}`, the parts that hold the weights."""
        return arguments.parts_of(self._arguments.of(self))

    def get_config(self) -> dict:
        """Returns the constructor's arguments, including the model's parts."""
        if self._arguments.has_positional:
            raise NotImplementedError(
                f"The constructor of {type(self).__name__} takes positional-only arguments, which "
                "have no name in a configuration. Name its arguments, without `*args` and `/`, or "
                "define `get_config` and `from_config`."
            )
        own = {k: arguments.serialized(v) for k, v in self._arguments.of(self).items()}
        of_all = {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }
        taken = {k: v for k, v in of_all.items() if self._arguments.takes(k)}
        frozen: dict[str, Any] = {} if self.trainable else {"trainable": False}
        if flags := {**frozen_layers.flags_of(self), **self._flags_to_come}:
            frozen["trainable_layers"] = flags
        is_read_here = type(self).from_config.__func__ is GenerativeModel.from_config.__func__
        noted = blank_weights.noted() if is_read_here else {}
        return {**own, "seed": self.noise.seed, **taken, **frozen, **noted}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        # Keras empties the configs of functional models as it reads them; keep the caller's intact.
        config = copy.deepcopy(config)
        with blank_weights.of_config(config):
            config = keras.saving.deserialize_keras_object(config)
            is_trainable = config.pop("trainable", True)
            flags = frozen_layers.check_flags(config.pop("trainable_layers", {}))
            seed = None if arguments.takes(cls, "seed") else config.pop("seed", None)
            model = cls(**config)
        if seed is not None:
            model.noise.restart(seed)
        if not is_trainable:
            model.trainable = False
            # On TensorFlow, setting an unchanged value does not reach inner layers.
            frozen_layers.apply_flags(model, {})
        if flags:
            model._flags_to_come = flags
            model._apply_flags()
        return model

    # What the family says about itself.

    @classmethod
    def kl_is_exact(cls, prior: type | None = None) -> bool:
        """Whether the term `kl` is computed without draws of z.

        Args:
            prior: Class of the prior; `None` is the family's default.
        """
        return False

    @property
    def can_sample(self) -> bool:
        """Whether `sample` can draw from this model in its current state."""
        return self.sample_draws is not None

    @property
    def is_density(self) -> bool:
        """Whether `log_likelihood` is, or may be, a log-density, whose nats do not convert to bits.
        It may be one if nothing is known about the likelihood."""
        likelihood: Any = getattr(self, "likelihood", self.fixed_likelihood)
        return likelihood is None or likelihood.is_density

    @property
    def likelihood_shape(self) -> Shape | None:
        """Shape of one example of the variable whose likelihood `log_likelihood` returns: here x.
        An axis is `None` if its size differs between examples."""
        return self.data_shape

    # Scores.

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Returns log p(x), or a bound on it; see the family.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            num_samples: Integer, the draws of z for each example if log p(x) is estimated. `None`
                is the family's default, and must be kept if the family does not draw.
            seed: Integer that makes the estimate reproducible, or `None`.

        Returns:
            NumPy array (N,), in nats.

        Raises:
            ValueError: If x or the condition does not fit this model.
            NotImplementedError: If the family has no likelihood.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no density of z given x, so log p(x) cannot be estimated. "
            "Use VAE or IWAE, or define `log_likelihood`."
        )

    def score(
        self,
        x: Array,
        condition: Array = None,
        method: str | None = None,
        num_samples: int | None = None,
        seed: int | None = 0,
    ) -> np.ndarray:
        """Returns how well each row of x fits the model, in nats: higher is more likely.

        If the family estimates its likelihood, all rows use the same noise, so the score of a row
        depends only on the row, the model and the seed.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            method: "likelihood", log p(x), estimated by importance sampling if necessary; "bound",
                the evidence lower bound; or `None`, the family's default.
            num_samples: Integer, the draws of z; 128 by default. Must be `None` if the family does
                not draw.
            seed: Integer that determines the draws, or `None` for fresh ones.

        Returns:
            NumPy array (N,), in nats.

        Raises:
            ValueError: If x or the condition does not fit this model, or the family does not offer
                the method.
            NotImplementedError: If the family has no likelihood.
        """
        kinds: dict[Any, str] = {"exact": "likelihood", "bound": "bound"}
        own = kinds.get(self.log_likelihood_is)
        if own is not None and method not in (None, own):
            raise ValueError(
                f"`method` of {type(self).__name__} can only be {own!r}, which it computes without "
                f"draws. Received: {method!r}."
            )
        return self.log_likelihood(x, condition, num_samples)

    # Plumbing.

    def _apply_flags(self):
        if not self._flags_to_come:
            return
        left = frozen_layers.apply_flags(self, self._flags_to_come)
        if left and self.built:
            raise ValueError(
                f"The configuration of this {type(self).__name__} freezes or unfreezes layers that "
                f"it does not have: {sorted(left)}. It was saved from another architecture."
            )
        if self.built:
            self._flags_to_come = {}

    def _run_symbolically(self):
        def terms(x, y=None):
            return self.terms(x, self.given(y))

        # Two examples. For an unknown number Keras uses 83 and then 89, and where it cannot infer a
        # shape on PyTorch, computes with that many: in twice the time and forty times the memory.
        pair = [keras.KerasTensor((2, *t.shape[1:]), t.dtype) for t in self.probes()]
        self.built = True  # otherwise `terms` that call the model would build it again
        try:
            _Pass(terms).compute_output_spec(*pair)
        except Exception as error:
            self.built = False
            # Keras wraps the error in a paragraph on shape inference.
            cause = str(error).rpartition("Error encountered:")[2].strip()
            raise ValueError(
                f"{type(self).__name__} cannot be built for data of shape {self.data_shape}: its "
                f"`terms` fail. Cause: {cause}"
            ) from error

    def _check_built(self, name):
        if not self.built:
            raise AttributeError(
                f"`{name}` of {type(self).__name__} is not known yet: its networks do not "
                "determine the shape of the data. Train it, or call `model.build((None, "
                "*data_shape))` first."
            )


def check_exact(model: GenerativeModel, num_samples: int | None) -> None:
    """Raises `ValueError` if `num_samples` is given to a family that computes its likelihood."""
    if num_samples is not None:
        raise ValueError(
            f"`log_likelihood` of {type(model).__name__} takes no `num_samples`: it is exact, and "
            f"draws would not change it. Received: num_samples={num_samples!r}. Leave it out."
        )


class _Pass(keras.Operation):
    """Wraps a function as a Keras operation, which can run on symbolic tensors."""

    def __init__(self, function: Callable):
        super().__init__()
        self.function = function

    def call(self, *tensors) -> Tensor:
        return self.function(*tensors)


def _variables_of(model, group):
    """Returns the trainable variables of the attribute that a group is named after."""
    part = getattr(model, group, None)
    layers = part if isinstance(part, list | tuple) else [part]
    if not all(isinstance(layer, keras.Layer) for layer in layers):
        raise ValueError(
            f"`objective` of {type(model).__name__} names the group {group!r}. Expected: an "
            "attribute that is a layer, or a list of layers, whose weights are trained on its "
            f"terms. Received: {part!r}."
        )
    return [v for layer in layers for v in layer.trainable_variables]
