"""Plain objects that say how a layer goes about a part of its work."""


class Configured:
    """Base class of objects that are given to a layer, and saved with it.

    They hold arguments and no weights, so that several layers may share one.
    """

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Returns the object of a config."""
        return cls(**config)


def check_configured(argument, value, kind, default):
    """Returns `value`, an object of the class `kind`, or `default()` for `None`.

    Raises:
        ValueError: anything else, such as a class.
    """
    value = default() if value is None else value
    if not isinstance(value, kind):
        raise ValueError(
            f"`{argument}` must be a {kind.__name__}, such as {default.__name__}(). Received: "
            f"{value!r}."
        )
    return value
