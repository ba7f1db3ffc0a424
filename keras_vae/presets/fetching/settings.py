"""The timeouts and limits of downloads."""

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Settings:
    """The limits of a download; times are in seconds. Tests shorten them.

    Attributes:
        connect_timeout: Float, the timeout of a connection.
        stall_timeout: Float, the longest silence within a response.
        rate_window: Float, the time in which the headers, and then each `quota` of bytes, must
            arrive.
        min_rate: Float, the minimum bytes per second, averaged over a window.
        patience: Float, the longest time without a quota of bytes before giving up.
        max_attempts: Int, the number of attempts at one mirror without a new byte.
        max_stalls: Int, the number of responses that may fall silent; at least one of each mirror
            may.
        max_wrong: Int, the number of complete files with a wrong sha256 that a mirror may send.
        first_pause: Float, the pause before the second attempt at a mirror, doubled for each
            further one.
        longest_pause: Float, the upper limit of a pause.
        max_redirects: Int, the number of redirects in one attempt.
    """

    connect_timeout: float = 10.0
    stall_timeout: float = 15.0
    rate_window: float = 20.0
    min_rate: float = 1024.0
    patience: float = 50.0
    max_attempts: int = 5
    max_stalls: int = 3
    max_wrong: int = 2
    first_pause: float = 0.5
    longest_pause: float = 8.0
    max_redirects: int = 5

    @property
    def quota(self) -> float:
        """The number of bytes that counts as progress."""
        return self.rate_window * self.min_rate

    def shared_by(self, num_mirrors: int) -> "Settings":
        """Returns settings under which a silent mirror leaves time to try all others."""
        share = self.patience / (num_mirrors + 1)
        names = ("connect_timeout", "stall_timeout", "rate_window")
        return dataclasses.replace(self, **{k: min(getattr(self, k), share) for k in names})


class Patience:
    """The time left until a download gives up, renewed by progress."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.patience
        self.renew()

    def renew(self) -> None:
        """Starts the time again."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Returns the remaining seconds, negative once they have passed."""
        return self._end - time.monotonic()
