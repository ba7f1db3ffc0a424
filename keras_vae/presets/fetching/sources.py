"""Where weights come from: `KERAS_VAE_ZOO`, the package `keras-vae-zoo`, a default address."""

import importlib.util
import os
import urllib.parse
from pathlib import Path

from keras_vae.presets.fetching import hub
from keras_vae.presets.fetching.credentials import masked
from keras_vae.presets.format.index import Entry

VARIABLE = "KERAS_VAE_ZOO"
DEFAULT: tuple[str, ...] = ()  # the zoo's public address, tried last; set at release
_PACKAGE = "keras_vae_zoo"
_EXAMPLE = "https://example.org/zoo"


def installed() -> list[str | Path]:
    """Returns the folders of the distribution `keras-vae-zoo`, none if it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)  # imports nothing, as it contains no code
    locations = spec.submodule_search_locations if spec else None
    return [Path(location) for location in locations or ()]


def configured() -> list[str | Path]:
    """Returns the addresses of `KERAS_VAE_ZOO`, in order; folders as `pathlib.Path`.

    They are separated by commas, as the name of a folder may contain spaces.

    Raises:
        ValueError: If an address is neither a folder, nor http, https or `hf://owner/name`.
    """
    words = (word.strip() for word in os.environ.get(VARIABLE, "").split(","))
    return [_checked(word) for word in words if word]


def folders(sources: list[str | Path], entry: Entry) -> list[Path]:
    """Returns the folders of `sources` that may hold a preset, published or as in a checkout."""
    roots = [source for source in sources if isinstance(source, Path)]
    return [f for root in roots for f in (root / entry.name / entry.revision, root / entry.name)]


def urls(sources: list[str | Path], entry: Entry, file: str) -> list[str]:
    """Returns the addresses of a preset's file at those `sources` that are not folders.

    The layout, written by `zoo/publish.py`, is `NAME/REVISION/FILE`. Revisions never change, so
    that a newer zoo still serves older versions of the library.

    Args:
        sources: List, as returned by `configured`.
        entry: `Entry` of the index, whose names have been checked.
        file: String, one of `entry.files`.
    """
    path = f"{entry.name}/{entry.revision}/{file}"
    return [_join(source, path) for source in sources if not isinstance(source, Path)]


def how_to_set(name: str, sources: list[str | Path]) -> str:
    """Returns the advice on what to set if none of `sources` holds the weights."""
    state = f"no folder of {VARIABLE} holds them" if sources else f"{VARIABLE} is not set"
    return (
        f"The weights of {name!r} are not here, and {state}. Install those of this version, pip "
        f'install "keras-vae[zoo]", or set {VARIABLE} to the address to fetch them from, for '
        f"example {VARIABLE}={_EXAMPLE} (or hf://OWNER/NAME, or a folder, or several of these "
        f"separated by commas), or train them: `keras-vae train {name}`."
    )


def _checked(word):
    scheme = word.partition("://")[0].lower()
    if hub.is_address(word):
        hub.repository(word)
        return word
    if scheme in ("http", "https") and _has_host(word):
        return word
    if "://" in word:
        raise ValueError(
            f"{VARIABLE} must hold http or https addresses, hf://OWNER/NAME or folders, separated "
            "by commas. In a user or password @ / : ? # and commas are written as %40 %2F %3A %3F "
            f"%23 and %2C. Received: {masked(word)!r}."
        )
    return Path(word).expanduser()


def _has_host(word):
    try:
        parts = urllib.parse.urlsplit(word)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _join(source, path):
    if hub.is_address(source):
        return hub.url_of(source, path)
    parts = urllib.parse.urlsplit(source)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{path}").geturl()
