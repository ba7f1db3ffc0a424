"""Kullback-Leibler divergences, registered by pair of classes."""

from collections.abc import Callable
from typing import Any
from typing import TypeAlias

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import same_static_shape
from keras_vae.typing import Tensor

ClosedForm: TypeAlias = Callable[[Any, Any], Tensor]  # of (q, p)

_CLOSED_FORMS: dict[tuple[type[Distribution], type[Distribution]], ClosedForm] = {}


def register_kl(
    q_class: type[Distribution], p_class: type[Distribution]
) -> Callable[[ClosedForm], ClosedForm]:
    """Registers the closed form of `KL(q || p)` for two classes of distributions.

    The decorated function receives `(q, p)` and returns the divergence in nats, summed over the
    event axes. It also serves subclasses that have no closed form of their own.

    Args:
        q_class: Class of the first argument.
        p_class: Class of the second argument.

    Returns:
        A decorator that returns its function unchanged.

    Raises:
        ValueError: If a closed form is already registered for the two classes.

    Example:

    >>> @register_kl(DiagonalGaussian, DiagonalGaussian)
    ... def _kl(q, p): ...
    """

    def register(function: ClosedForm) -> ClosedForm:
        if (q_class, p_class) in _CLOSED_FORMS:
            raise ValueError(
                f"KL({q_class.__name__} || {p_class.__name__}) is registered already, as "
                f"{_CLOSED_FORMS[q_class, p_class].__qualname__}. Register a subclass instead."
            )
        _CLOSED_FORMS[q_class, p_class] = function
        return function

    return register


def kl_divergence(q: Distribution, p: Distribution, sample: Tensor | None = None) -> Tensor:
    """Computes `KL(q || p) = E_q[log q(z) - log p(z)]` in nats for each example.

    If the two classes, or the nearest pair of their base classes, have a closed form, it is used.
    Otherwise `log q(sample) - log p(sample)` is returned, an unbiased estimate from a given draw.

    Args:
        q: `Distribution`, usually the posterior.
        p: `Distribution`, usually the prior. Its batch axes broadcast: a prior with
            `batch_ndims=0` serves the whole batch.
        sample: Optional draw from `q`, used only if there is no closed form. `(B, *event)` gives
            `(B,)`; K draws, `(K, B, *event)`, give `(K, B)`.

    Returns:
        Float32 tensor `(B,)`, or `(K, B)` for an estimate from K draws, in nats.

    Raises:
        ValueError: If the event axes of `q` and `p` differ.
        NotImplementedError: If there is neither a closed form nor a `sample`.

    Example:

    >>> q = DiagonalGaussian([[1.0, 0.0]], [[0.0, 0.0]])
    >>> kl_divergence(q, DiagonalGaussian([0.0, 0.0], 0.0, batch_ndims=0))  # [0.5]
    """
    _check_events(q, p)
    closed_form = _find_closed_form(type(q), type(p))
    if closed_form is not None:
        return closed_form(q, p)
    if sample is not None:
        return q.log_prob(sample) - p.log_prob(sample)
    raise NotImplementedError(
        f"KL({type(q).__name__} || {type(p).__name__}) has no closed form. Pass "
        "`sample=q.sample(seed)` for its one-sample estimate, or register a closed form with "
        f"`@register_kl({type(q).__name__}, {type(p).__name__})`."
    )


def has_closed_form(q_class: type[Distribution], p_class: type[Distribution]) -> bool:
    """Returns whether `kl_divergence` computes `KL(q || p)` of two classes without a draw.

    Args:
        q_class: Class of the first argument.
        p_class: Class of the second argument.

    Returns:
        Boolean.

    Example:

    >>> has_closed_form(DiagonalGaussian, DiagonalGaussian)  # True
    >>> has_closed_form(DiagonalGaussian, Mixture)  # False
    """
    return _find_closed_form(q_class, p_class) is not None


def _find_closed_form(
    q_class: type[Distribution], p_class: type[Distribution]
) -> ClosedForm | None:
    pairs = ((q, p) for q in q_class.__mro__ for p in p_class.__mro__)
    return next((_CLOSED_FORMS[pair] for pair in pairs if pair in _CLOSED_FORMS), None)


def _check_events(q: Distribution, p: Distribution) -> None:
    event_q, event_p = (d.shape[d.batch_ndims :] for d in (q, p))
    if not same_static_shape(event_q, event_p):
        raise ValueError(
            f"`q` and `p` must have the same event axes. Received: q={q} with event axes "
            f"{event_q}, p={p} with event axes {event_p}. A prior without a batch axis needs "
            "`batch_ndims=0`, and parameters of the full shape of an event."
        )
