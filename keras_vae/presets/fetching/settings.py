"""How patient fetching is."""

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Settings:
    """Limits of a fetch; times in seconds. Tests make them short.

    Attributes:
        connect_timeout: float, for a connection to be made.
        stall_timeout: float, the longest silence within an answer.
        rate_window: float, within which headers and then each `quota` of bytes must arrive.
        min_rate: float, bytes per second, over a window.
        patience: float, the longest time from the last quota of bytes to giving up.
        max_attempts: int, at one mirror, without a quota of new bytes.
        max_wrong: int, whole files with other content that one mirror may send.
        first_pause: float, before the second attempt at a mirror; doubled for each further one.
        longest_pause: float, up to which pauses are doubled.
        max_redirects: int, in one attempt.
    """

    connect_timeout: float = 10.0
    stall_timeout: float = 15.0
    rate_window: float = 20.0
    min_rate: float = 1024.0
    patience: float = 50.0
    max_attempts: int = 5
    max_wrong: int = 2
    first_pause: float = 0.5
    longest_pause: float = 8.0
    max_redirects: int = 5

    @property
    def quota(self) -> float:
        """Bytes that count as progress."""
        return self.rate_window * self.min_rate

    def shared_by(self, num_mirrors: int) -> "Settings":
        """Returns settings under which silent mirrors leave time to try every other one."""
        share = self.patience / (num_mirrors + 1)
        names = ("connect_timeout", "stall_timeout", "rate_window")
        return dataclasses.replace(self, **{k: min(getattr(self, k), share) for k in names})


class Patience:
    """The time that is left until a fetch gives up, renewed by progress."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.patience
        self.renew()

    def renew(self) -> None:
        """Begins anew."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Returns the seconds that are left; negative when they are over."""
        return self._end - time.monotonic()
