import keras
import numpy as np
import pytest

from keras_vae import networks
from keras_vae.layers.recurrence import check_recurrence

RECURRENT = {
    "encoder": lambda: networks.RecurrentTokenEncoder(20, 2, units=4),
    "decoder": lambda: networks.RecurrentTokenDecoder(20, 2, units=4),
}


@pytest.mark.parametrize("part", RECURRENT)
def test_sequences_of_any_length_are_not_unrolled_in_silence(part, tmp_path):
    """The file would hold as many steps as there were when it was traced."""
    if keras.config.backend() != "torch":
        check_recurrence(RECURRENT[part](), "onnx")
        return
    with pytest.raises(RuntimeError, match=r"'recurrent'.*any length.*SavedModel"):
        RECURRENT[part]().export(tmp_path / "network.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_series_of_one_length_are_exported(tmp_path):
    if keras.config.backend() != "torch":
        pytest.skip("of the conversion on PyTorch")
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    encoder = networks.RecurrentSeriesEncoder((6, 2), 3, units=4)
    encoder(np.zeros((1, 6, 2), "float32"))  # Keras exports what has been called
    path = str(tmp_path / "encoder.onnx")
    encoder.export(path, format="onnx", verbose=False)
    session = runtime.InferenceSession(path)
    for num_examples in (1, 5):
        x = np.random.default_rng(0).normal(size=(num_examples, 6, 2)).astype("float32")
        found = session.run(None, {session.get_inputs()[0].name: x})
        for a, b in zip(found, encoder(x), strict=True):
            expected = keras.ops.convert_to_numpy(b)
            np.testing.assert_allclose(a, expected, rtol=1e-5, atol=1e-5)
