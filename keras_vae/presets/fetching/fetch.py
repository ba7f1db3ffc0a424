"""Downloads a file from any of its mirrors: whole and verified, or an error in bounded time.

Processes share one download: one of them transfers under the file's lock while the others wait.
Interrupted downloads resume, even in another process, from a partial file next to the target.
Nothing here imports Keras or NumPy, so that tests can start many processes.
"""

import contextlib
import dataclasses
import os
import random
import time
import warnings
from pathlib import Path

import filelock

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching.credentials import masked
from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.download import download
from keras_vae.presets.fetching.partial_file import Part
from keras_vae.presets.fetching.partial_file import path_of
from keras_vae.presets.fetching.progress import Bar
from keras_vae.presets.fetching.request import PermanentError
from keras_vae.presets.fetching.request import StalledError
from keras_vae.presets.fetching.request import TemporaryError
from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings

_DEFAULT = Settings()
_random = random.SystemRandom()  # the global generator may have been seeded by the caller


class FetchError(OSError):
    """Raised when no mirror served the file, or when it could not be written."""


def fetch(
    urls: list[str],
    target: str | os.PathLike,
    size: int,
    sha256: str,
    settings: Settings = _DEFAULT,
) -> Path:
    """Returns `target`, a file with this size and sha256, downloaded if necessary.

    An intact file is used without a lock, a write or a connection. A damaged file is set aside,
    with a warning.

    Args:
        urls: List of strings, the http or https addresses of the file's mirrors, in order.
        target: Path. Its folder is created if it does not exist.
        size: Int, in bytes.
        sha256: String of 64 hexadecimal digits.
        settings: `Settings`.

    Raises:
        FetchError: If no mirror serves the file, with the reason of each, or it cannot be written.
            Received bytes are kept for the next call.
    """
    target = Path(target)
    if cache.holds(target, size, sha256):
        return target
    if cache.is_offline():
        state = "is damaged" if target.exists() else "does not exist"
        raise FetchError(f"{target} {state}, and KERAS_VAE_OFFLINE forbids fetching it.")
    patience = Patience(settings)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, patience, settings):
            if not cache.holds(target, size, sha256):
                _prepare(target)
                _transfer(urls, target, size, sha256, settings, patience)
    except FetchError:
        raise
    except OSError as error:  # from the disk; network errors have other classes
        with contextlib.suppress(OSError):
            path_of(target).unlink(missing_ok=True)  # frees the space
        raise FetchError(
            f"{target} cannot be written: {error.strerror or error}. Free some space, or set "
            "KERAS_VAE_HOME to a writable folder."
        ) from error
    return target


@contextlib.contextmanager
def _locked(target, patience, settings):
    """Holds the file's lock, after waiting for another process as long as it makes progress."""
    lock = cache.lock_at(cache.lock_path(target), timeout=min(1.0, settings.patience / 10))
    seen = 0
    while True:
        try:
            lock.acquire(poll_interval=0.02)
            break
        except filelock.Timeout as error:
            length = _length(path_of(target))
            if length >= seen + settings.quota:
                patience.renew()
                seen = length
            seen = min(seen, length)
            if patience.left() <= 0:
                raise FetchError(f"Another process holds {lock.lock_file} and is stuck.") from error
    try:
        yield
    finally:
        lock.release()


def _length(path):
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _prepare(target):
    cache.sweep(target, keep=[path_of(target)])
    if os.path.lexists(target):
        aside = cache.set_aside(target)
        warnings.warn(
            f"{target} was damaged. It has been moved to {aside}, and is being fetched again.",
            stacklevel=4,
        )


@dataclasses.dataclass
class _Mirror:
    url: str
    not_before: float = 0.0  # of the monotonic clock
    num_failures: int = 0
    num_wrong: int = 0
    num_stalls: int = 0


def _transfer(urls, target, size, sha256, settings, patience):
    every, problems = [_Mirror(url) for url in urls], {}
    mirrors = list(every)
    max_stalls = max(settings.max_stalls, len(every))
    settings = settings.shared_by(len(mirrors))
    bar = Bar(target.parent.parent.name, size)
    try:
        with Part(target, size) as part:
            if part.length == size:  # only the final rename was missing
                if part.finish(sha256):
                    return
                part.restart()
            # Progress between stalls renews the patience, so stalls are also counted.
            while mirrors and patience.left() > 0 and _num_stalls(every) < max_stalls:
                # Mirrors that have not been tried come first, in their order.
                mirror = min(mirrors, key=lambda m: m.not_before)
                if mirror.not_before - time.monotonic() > patience.left():
                    mirrors.remove(mirror)
                    continue
                time.sleep(max(0.0, mirror.not_before - time.monotonic()))
                problem = _attempt(mirror, part, sha256, settings, patience, bar)
                if problem is None:
                    return
                problems[mirror.url] = str(problem)
                if _is_hopeless(mirror, problem, settings):
                    mirrors.remove(mirror)
    finally:
        bar.close()
    raise FetchError(_report(target, problems))


def _attempt(mirror, part, sha256, settings, patience, bar):
    """Returns `None` if the file is in place, otherwise the failure."""
    best = part.best
    try:
        download(mirror.url, part, Pace(settings, patience), settings, bar)
    except TemporaryError as failure:
        mirror.num_stalls += isinstance(failure, StalledError)
        # Any new byte is progress: the last pieces of a file are smaller than a quota.
        mirror.num_failures = 0 if part.best > best else mirror.num_failures + 1
        mirror.not_before = time.monotonic() + max(failure.pause, _pause(mirror, settings))
        return failure
    except PermanentError as failure:
        return failure
    if part.finish(sha256):
        return None
    if part.sources == {mirror.url}:
        mirror.num_wrong += 1
    part.may_mix = False  # a bad mirror must not keep spoiling the data of a good one
    part.restart()
    mirror.not_before = time.monotonic() + _pause(mirror, settings)
    return TemporaryError("the wrong file: its sha256 differs")


def _num_stalls(mirrors):
    return sum(mirror.num_stalls for mirror in mirrors)


def _is_hopeless(mirror, problem, settings):
    return (
        isinstance(problem, PermanentError)
        or mirror.num_failures >= settings.max_attempts
        or mirror.num_wrong >= settings.max_wrong
    )


def _pause(mirror, settings):
    """Returns a pause, doubled per failure and jittered so that processes do not retry in step."""
    pause = settings.first_pause * 2 ** max(0, mirror.num_failures - 1)
    return min(pause, settings.longest_pause) * _random.uniform(0.5, 1.0)


def _report(target, problems):
    lines = [f"{masked(url)}: {problem}." for url, problem in problems.items()]
    advice = "The partial file is kept: try again later, or set KERAS_VAE_ZOO to another address."
    return " ".join([f"{target.name} could not be fetched.", *lines, advice])
