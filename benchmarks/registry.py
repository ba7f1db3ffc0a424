"""What a benchmark is: contenders that do the same work, and the rows of the table they fill."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

BACKENDS = ("tensorflow", "jax", "torch")
BENCHES: dict[str, "Bench"] = {}

# Does the work once and returns how many units it did, and a number that tells whether it was the
# same work as another's (a loss in nats, say), or `None`.
Run = Callable[[], tuple[float, float | None]]


class UnavailableError(Exception):
    """Raised by a contender that this checkout or this environment cannot run, with the reason."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to do the work of a bench.

    Attributes:
        make: function of the backend and the bench's options that sets up and returns a `Run`.
        backends: the backends it exists on. It runs in one process for each.
        needs: name of a module that need not be installed, or `None`.
        is_ours: whether it runs in the checkout of `--before` too, under the name "before".
    """

    make: Callable[..., Run]
    backends: tuple[str, ...]
    needs: str | None
    is_ours: bool


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table, for each of its backends: a contender against another.

    Attributes:
        title: what is compared.
        of, against: names of contenders, `"name"` on the row's backend or `"name/backend"`.
            `against=None` compares with nothing.
        bars, aims: `{backend: number}`; a row without a bar is for information.
        earlier: `{backend: text}`, what was measured before this runner was there.
        kind: a key of `report.KINDS`: how the two are compared, and what is better.
        backends: the backends of the row, by default those of `bars`.
    """

    title: str
    of: str
    against: str | None
    bars: dict[str, float] = dataclasses.field(default_factory=dict)
    aims: dict[str, float] = dataclasses.field(default_factory=dict)
    earlier: dict[str, str] = dataclasses.field(default_factory=dict)
    kind: str = "speed"
    backends: tuple[str, ...] = ()


@dataclasses.dataclass
class Bench:
    """Contenders that do the same work.

    Attributes:
        name: what `--bench` calls it.
        title: the work, for the report.
        unit: what is counted: "images", "calls".
        options: the sizes, handed to every contender by keyword.
        quick: the sizes that replace them with `--quick`.
        rows: the rows of the table.
        warm_ups: how often the work is done before it is measured; the first time compiles.
        is_fresh: whether each measurement takes a new process, and no warm-up.
    """

    name: str
    title: str
    unit: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    quick: dict[str, Any] = dataclasses.field(default_factory=dict)
    rows: list[Row] = dataclasses.field(default_factory=list)
    warm_ups: int = 2
    is_fresh: bool = False
    contenders: dict[str, Contender] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        BENCHES.setdefault(self.name, self)

    def contender(
        self,
        name: str,
        backend: str | tuple[str, ...] = BACKENDS,
        needs: str | None = None,
        is_ours: bool = False,
    ) -> Callable[[Callable[..., Run]], Callable[..., Run]]:
        """Returns a decorator that registers a function `(backend, **options) -> Run`."""
        backends = (backend,) if isinstance(backend, str) else backend

        def enter(make: Callable[..., Run]) -> Callable[..., Run]:
            self.contenders[name] = Contender(make, backends, needs, is_ours)
            return make

        return enter


def load_benches() -> dict[str, Bench]:
    """Imports every file of `benches/` and returns `{name: Bench}`."""
    import benches

    for module in pkgutil.iter_modules(benches.__path__):
        importlib.import_module(f"benches.{module.name}")
    return BENCHES
