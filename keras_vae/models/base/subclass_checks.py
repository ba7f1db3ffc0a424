"""Checks of what a subclass defines, made before it trains: each mistake is one clear error."""

import keras

from keras_vae.models.base.term import Term
from keras_vae.steps import BackendStep


def check_objective(model: keras.Model) -> None:
    """Raises `ValueError` if the objective is not a dict of `Term`s, or a switch not a group."""
    objective = model.objective()
    wrong = [k for k, term in objective.items() if not isinstance(term, Term)]
    if wrong or "loss" in objective:
        raise ValueError(
            f"`objective` of {type(model).__name__} must be a dict of names, other than 'loss', "
            f"and `keras_vae.Term`s. Received: {objective!r}."
        )
    unknown = sorted(model.switches().keys() - {*model.group_names(objective)})
    if unknown:
        raise ValueError(
            f"`switches` of {type(model).__name__} names the groups {unknown}. Expected: some of "
            f"{model.group_names(objective)}."
        )


def check_metrics(model: keras.Model) -> None:
    """Raises `ValueError` if a subclass hides the model's metrics, whose state must travel with the
    step and be reset with each epoch, or has one with the name of a term."""
    if not any(m is model.guard for m in model.metrics):
        raise ValueError(
            f"`metrics` of {type(model).__name__} leaves out the model's own. Remove the property, "
            "as metrics that are attributes of a model are found without it; or return them "
            "together with those of `super().metrics`."
        )
    terms = model.logged_terms()
    for metric in model.further_metrics():
        if metric.name in terms:
            raise ValueError(
                f"The metric {metric.name!r} of {type(model).__name__} has the name of a quantity "
                f"that the model logs ({', '.join(terms)}). Give it another name."
            )


def check_overridden(model: keras.Model) -> None:
    """Raises `TypeError` if a method is overridden that only Keras' own train step calls."""
    names = ("compute_loss", "compute_metrics")
    never_called = [n for n in names if getattr(type(model), n) is not getattr(keras.Model, n)]
    if never_called and not has_own_step(model):
        raise TypeError(
            f"{type(model).__name__} overrides `{never_called[0]}`, which its train step never "
            "calls. Return costs and logged quantities from `terms`, and give their weights in "
            "`objective`; or override `train_step` as well."
        )


def has_own_step(model: keras.Model) -> bool:
    """Whether the model's class overrides `train_step`."""
    return type(model).train_step is not BackendStep.train_step
