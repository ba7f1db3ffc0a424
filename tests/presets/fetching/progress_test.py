import io

import pytest

from keras_vae.presets.fetching.progress import Bar

pytestmark = pytest.mark.one_backend


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_by_hand():
    terminal = Terminal()
    bar = Bar("vae_mnist", 4_000_000, terminal)
    bar.show(1_000_000)
    bar.show(1_000_001)  # too soon to be shown
    bar.show(4_000_000)
    bar.close()
    lines = terminal.getvalue().split("\r")[1:]
    assert lines == [
        "vae_mnist [#####               ] 1.0 of 4.0 MB",
        "vae_mnist [####################] 4.0 of 4.0 MB\n",
    ]


def test_quiet_where_nobody_looks():
    file = io.StringIO()
    bar = Bar("vae_mnist", 10, file)
    bar.show(10)
    bar.close()
    assert file.getvalue() == ""


def test_no_line_where_nothing_came():
    terminal = Terminal()
    Bar("vae_mnist", 10, terminal).close()
    assert terminal.getvalue() == ""


def test_there_may_be_no_standard_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    Bar("vae_mnist", 10).show(10)
