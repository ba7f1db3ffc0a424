"""What a peer wrote and computed, from the fixtures that `write_peer_fixtures.py` makes."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.support.peer_weights import drawn

FIXTURES = Path(__file__).parents[1] / "presets" / "interchange" / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.npz"))
WEIGHTS = "diffusion_pytorch_model.safetensors"


class Peer:
    """A model of diffusers with drawn weights.

    Attributes:
        config: dict, its `config.json`.
        tensors: dict, name -> array.
        x: (1, 16, 24, 3) in [-1, 1], float32.
        found: dict of what diffusers gives for x: `z_mean`, `z_log_var`, `z`, `indices`, `y`.
    """

    def __init__(self, name):
        with np.load(FIXTURES / f"{name}.npz") as arrays:
            self.found = dict(arrays)
        self.config = json.loads(str(self.found.pop("config")))
        shapes = json.loads(str(self.found.pop("shapes")))
        self.tensors = {k: drawn(k, tuple(shape)) for k, shape in shapes.items()}
        self.x = self.found.pop("x").astype("float32")

    @property
    def is_tiny(self):
        return self.config["_class_name"] == "AutoencoderTiny"

    @property
    def x_here(self):
        """x in the range of our model: the tiny one takes [0, 1], as that of its authors does."""
        return (self.x + 1) / 2 if self.is_tiny else self.x

    @property
    def y_here(self):
        return (self.found["y"] + 1) / 2 if self.is_tiny else self.found["y"]

    def write(self, folder, tensors=None, config=None):
        """Writes the folder that `save_pretrained` would; returns it."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors if tensors is None else tensors, folder / WEIGHTS)
        (folder / "config.json").write_text(json.dumps(self.config if config is None else config))
        return folder
