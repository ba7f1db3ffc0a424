"""Error messages of commands about the conditions of a preset."""

from typing import Any


def check(preset: str, model: Any, pairs: tuple, is_told: bool) -> None:
    """Raises an error if the data lack the conditions of a model.

    Args:
        preset: The preset's name on the command line.
        model: The preset's model.
        pairs: As returned by `pairs_of`.
        is_told: Whether the requested result depends on the conditions.

    Raises:
        ValueError: If there are no conditions, or labels of classes that the model does not have.
    """
    from keras_vae.conditions import LabelCondition

    condition = getattr(model, "sample_condition", None)
    if condition is None or not is_told:
        return
    labels = pairs[1] if len(pairs) > 1 else None
    if labels is None and not condition.can_be_absent:
        raise ValueError(
            f"{preset} needs a condition for each example, but these data have none. Expected: "
            f"{condition.expected()}. Give --data with labels: an .npz file with y_test, or a "
            "folder for each class."
        )
    if labels is None or not isinstance(condition, LabelCondition):
        return
    if labels.min() < 0 or labels.max() >= condition.num_classes:
        raise ValueError(
            f"{preset} knows the classes 0 to {condition.num_classes - 1}, but the labels of these "
            f"data run from {labels.min()} to {labels.max()}. Give other --data."
        )


def refuse(preset: str, condition: Any, call: str) -> None:
    """Raises an error if a preset needs a condition that the command line cannot pass.

    Args:
        preset: The preset's name on the command line.
        condition: `Condition`, or `None`.
        call: The equivalent call in Python, such as "compress(x, condition)".

    Raises:
        ValueError: If the condition cannot be absent.
    """
    if condition is not None and not condition.can_be_absent:
        raise ValueError(
            f"{preset} needs a condition for each example: {condition.expected()}. This command "
            f'has no option for it. In Python: keras_vae.from_preset("{preset}").{call}.'
        )
