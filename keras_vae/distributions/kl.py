"""Kullback-Leibler divergences, registered by pair of classes."""

from keras_vae.distributions.base import same_static_shape

_CLOSED_FORMS = {}


def register_kl(q_class, p_class):
    """Registers the closed form of `KL(q || p)` for two classes of distributions.

    The decorated function receives `(q, p)` and returns nats, summed over the event axes. It stands
    beside the class it belongs to. It also serves subclasses that have none of their own.

    Args:
        q_class: Class of the first argument.
        p_class: Class of the second argument.

    Returns:
        A decorator that returns its function unchanged.

    Raises:
        ValueError: If the pair has a closed form already.

    Example:

    >>> @register_kl(DiagonalGaussian, DiagonalGaussian)
    ... def _kl(q, p): ...
    """

    def register(function):
        if (q_class, p_class) in _CLOSED_FORMS:
            raise ValueError(
                f"KL({q_class.__name__} || {p_class.__name__}) is registered already, as "
                f"{_CLOSED_FORMS[q_class, p_class].__qualname__}. Register a subclass instead."
            )
        _CLOSED_FORMS[q_class, p_class] = function
        return function

    return register


def kl_divergence(q, p, sample=None):
    """`KL(q || p) = E_q[log q(z) - log p(z)]` in nats, one number for each example.

    The closed form of the nearest pair of classes is used where there is one. Otherwise the
    expectation is estimated, without bias, from the given draw: `log q(sample) - log p(sample)`.

    Args:
        q: The distribution in front of the bars, usually the posterior.
        p: The distribution behind them, usually the prior. Its batch axes broadcast: a prior
            with `batch_ndims=0` serves the whole batch.
        sample: Optional draw of `q`, used only where there is no closed form. `(B, *event)` gives
            `(B,)`; K draws, `(K, B, *event)`, give `(K, B)`.

    Returns:
        Float32 tensor `(B,)` in nats.

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


def has_closed_form(q_class, p_class):
    """Whether `kl_divergence` computes `KL(q || p)` of two classes without a draw.

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


def _find_closed_form(q_class, p_class):
    pairs = ((q, p) for q in q_class.__mro__ for p in p_class.__mro__)
    return next((_CLOSED_FORMS[pair] for pair in pairs if pair in _CLOSED_FORMS), None)


def _check_events(q, p):
    event_q, event_p = (d.shape[d.batch_ndims :] for d in (q, p))
    if not same_static_shape(event_q, event_p):
        raise ValueError(
            f"`q` and `p` must have the same event axes. Received: q={q} with event axes "
            f"{event_q}, p={p} with event axes {event_p}. A prior without a batch axis needs "
            "`batch_ndims=0`, and parameters of the full shape of an event."
        )
