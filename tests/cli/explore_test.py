import webbrowser

import pytest
from tiny_recipe import write_tiny_preset

from keras_vae.cli.main import main
from keras_vae.explorer import ExplorerServer

pytestmark = pytest.mark.one_backend


@pytest.fixture
def served(tmp_path, monkeypatch):
    """What the command has served and opened, in a folder with the untrained preset `tiny`."""
    monkeypatch.chdir(tmp_path)
    write_tiny_preset(tmp_path)
    found = {"opened": []}

    def serve(server):
        found["server"] = server
        raise KeyboardInterrupt  # as a user ends it

    monkeypatch.setattr(ExplorerServer, "serve_forever", serve)
    monkeypatch.setattr(webbrowser, "open", found["opened"].append)
    return found


def test_it_serves_a_preset_with_its_test_data_until_it_is_interrupted(served, capsys):
    assert main(["explore", "./tiny"]) == 0
    server = served["server"]
    assert server.url in capsys.readouterr().out
    assert served["opened"] == [server.url]
    assert server.explorer.has_data
    assert len(server.explorer.x) == 10
    assert server.explorer.is_binary
    assert server.socket.fileno() == -1  # closed


def test_without_a_browser(served):
    assert main(["explore", "./tiny", "--no-browser"]) == 0
    assert served["opened"] == []


def test_samples_stand_in_for_data_that_are_not_here(served, tmp_path, capsys):
    (tmp_path / "tiny.npz").unlink()
    assert main(["explore", "./tiny", "--no-browser"]) == 0
    assert not served["server"].explorer.has_data
    assert "Samples from the model are shown in place of" in capsys.readouterr().out


def test_data_that_were_asked_for_must_be_there(served, capsys):
    assert main(["explore", "./tiny", "--data", "./nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert "server" not in served
