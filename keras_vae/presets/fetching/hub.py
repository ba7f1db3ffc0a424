"""Presets on the Hugging Face hub: `hf://owner/name`, or a folder of such a repository."""

import os
import re
import warnings
from pathlib import Path
from pathlib import PurePosixPath

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import pins
from keras_vae.presets.format.index import MAX_SIZE
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.format.preset_files import read_preset
from keras_vae.presets.interchange import FOREIGN_WEIGHTS
from keras_vae.presets.interchange import is_foreign

_SCHEME = "hf://"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FOLDER = re.compile(rf"({_REPOSITORY.pattern})/([A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)*)")
_NEEDED = (CONFIG, WEIGHTS)
_FOREIGN = (CONFIG, FOREIGN_WEIGHTS)  # in diffusers' layout
_TEXTS = ("recipe.toml", "metrics.json")
_ABOUT = ("README.md", "epochs.csv", "*.png")


def is_address(text: str | os.PathLike) -> bool:
    """Returns whether `text` starts like an address of the hub."""
    return str(text).startswith(_SCHEME)


def repository(address: str | os.PathLike) -> str:
    """Returns "owner/name" of `hf://owner/name`.

    Raises:
        ValueError: If the address does not have this form.
    """
    name = str(address).removeprefix(_SCHEME)
    if not is_address(address) or not _REPOSITORY.fullmatch(name):
        raise ValueError(f"Expected an address of the form hf://OWNER/NAME. Received: {address!r}.")
    return name


def _parts(address):
    """Returns "owner/name" and the folder in it ("" for the root) of an address of either form."""
    found = _FOLDER.fullmatch(str(address).removeprefix(_SCHEME))
    return found.groups() if found else (repository(address), "")


def url_of(address: str, path: str) -> str:
    """Returns the https address of a file in a repository on the hub."""
    return _library().hf_hub_url(repository(address), path)


def download(address: str | os.PathLike, again: bool = False) -> Path:
    """Returns a folder with the preset of a repository, in the cache of `huggingface_hub`.

    Only data are downloaded: configuration, weights, recipe and metrics, and weights in diffusers'
    layout. With `KERAS_VAE_OFFLINE` they must be in the cache already. Files of other libraries
    must not change after they were first fetched; see `pins`.

    Args:
        address: String, `hf://owner/name`, or `hf://owner/name/folder` for a preset that is part of
            a larger model, such as the autoencoder in the folder `vae` of a picture generator.
        again: Bool, whether to download files again that are in the cache.

    Raises:
        ValueError: If the repository holds no preset, or one that is too large, or if its files in
            diffusers' layout have changed since it was first fetched.
        OSError: If the repository cannot be reached.
    """
    library, (name, inner) = _library(), _parts(address)
    pin = f"{name}/{inner}" if inner else name
    names = [str(PurePosixPath(inner, file)) for file in (*_NEEDED, *_FOREIGN, *_TEXTS)]
    revision = pins.revision_of(pin)
    if revision is None:
        is_offline = cache.is_offline()
        revision = pins.last_seen(pin) if is_offline else _checked_revision(library, name, names)
    repository_folder = library.snapshot_download(
        name,
        revision=revision,
        allow_patterns=names,
        local_files_only=cache.is_offline(),
        force_download=again,
    )
    folder = Path(repository_folder, inner)
    needed = _FOREIGN if is_foreign(folder) else _NEEDED
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{address} holds no preset: {' and '.join(missing)} missing.")
    if needed == _FOREIGN:
        pins.hold(pin, revision, folder, _FOREIGN)
    elif revision is not None:
        pins.see(pin, revision)
    return folder


def mend(address: str | os.PathLike) -> bool:
    """Downloads a repository's preset again if it is damaged, and returns whether it did.

    Args:
        address: See `download`.

    Raises:
        ValueError, OSError: See `download`.
    """
    folder = download(address)
    if is_foreign(folder):
        return False  # it contains no digests to verify
    try:
        read_preset(folder).read_tensors()
    except ValueError:
        if cache.is_offline():
            return False
        warnings.warn(f"{folder} was damaged, and is being fetched again.", stacklevel=4)
        download(address, again=True)
        return True
    return False


def upload(folder: str | os.PathLike, address: str, private: bool = False) -> str:
    """Uploads a preset and its card to the Hugging Face hub.

    The repository is created if it does not exist. Log in first: `hf auth login`.

    Args:
        folder: Path of a preset written by `save_to_preset` or `keras-vae train`. A `README.md` in
            it becomes the card.
        address: String, `hf://owner/name`.
        private: Bool, whether a new repository is private.

    Returns:
        The web address of the upload.

    Raises:
        ValueError: If the folder holds no complete preset, or the address does not have this form.
        ImportError: If `huggingface_hub` is not installed.

    Example:

    ```python
    model.save_to_preset("my_preset")
    keras_vae.presets.upload("my_preset", "hf://me/my-vae")
    ```
    """
    name = repository(address)
    read_preset(folder).read_tensors()  # verified in full: a damaged file must not be published
    api = _library().HfApi()
    api.create_repo(name, private=private, exist_ok=True)
    patterns = [*_NEEDED, *_TEXTS, *_ABOUT]
    done = api.upload_folder(
        repo_id=name,
        folder_path=str(folder),
        allow_patterns=patterns,
        commit_message="Upload a preset of keras_vae",
    )
    return str(done)


def _checked_revision(library, name, names):
    """Returns a repository's current revision, after checking the sizes of its files."""
    info = library.HfApi().model_info(name, files_metadata=True)
    for file in info.siblings:
        if file.rfilename in names and (file.size or 0) > MAX_SIZE:
            raise ValueError(
                f"{_SCHEME}{name} holds {file.rfilename} of {file.size:,} bytes; the limit is "
                f"{MAX_SIZE:,}."
            )
    return info.sha


def _library():
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "Addresses hf://OWNER/NAME need huggingface_hub: pip install keras-vae[hub]"
        ) from error
    return huggingface_hub
