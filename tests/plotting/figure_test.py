import stat
import sys

import pytest

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


def test_a_figure_has_the_size_in_pixels(tmp_path):
    from matplotlib.image import imread

    save(new_figure(123, 45), tmp_path / "new" / "figure.png")
    assert imread(tmp_path / "new" / "figure.png").shape[:2] == (45, 123)


def test_the_suffix_is_the_format(tmp_path):
    save(new_figure(10, 10), tmp_path / "figure.svg")
    assert "<svg" in (tmp_path / "figure.svg").read_text()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    class Broken:
        def savefig(self, path, dpi):
            path.write_bytes(b"half")
            raise OSError("disk full")

    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"):
        save(Broken(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "other").touch()
    save(new_figure(10, 10), tmp_path / "figure.png")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_missing_matplotlib_is_named_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras-vae\[plots\]"'):
        new_figure(10, 10)
