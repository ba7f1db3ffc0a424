import pytest

from keras_vae.cli import upkeep
from keras_vae.cli.options import parse


def test_defaults():
    options = parse(["list"])
    assert (options.family, options.dataset) == (None, None)
    options = parse(["download", "a", "b"])
    assert (options.preset, options.all) == (["a", "b"], False)
    assert parse(["verify"]).preset == []
    options = parse(["upload", "folder", "hf://me/vae"])
    assert (options.folder, options.address, options.private) == ("folder", "hf://me/vae", False)


@pytest.mark.parametrize("action", ["path", "clean"])
def test_cache(action):
    options = parse(["cache", action])
    assert (options.run, options.action, options.all) == (upkeep.cache, action, False)


def test_the_cache_is_not_cleaned_by_mistake(capsys):
    for arguments in (["cache"], ["cache", "cleen"]):
        with pytest.raises(SystemExit) as exit_:
            parse(arguments)
        assert exit_.value.code == 2
