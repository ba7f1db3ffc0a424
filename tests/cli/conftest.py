"""What the tests of the commands on tables share."""

import pytest
from rents import trained_model


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    """The folder of a trained model of rents."""
    folder = tmp_path_factory.mktemp("rents") / "preset"
    trained_model().save_to_preset(folder)
    return str(folder)


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
