import exports
import keras
import numpy as np
import pytest
from families import BY_NAME
from families import FAMILIES

BACKEND = keras.config.backend()
FORMAT = "onnx" if BACKEND == "torch" else "tf_saved_model"


# What PyTorch's conversion to ONNX does not know: shapes that depend on the number of examples.
NOT_IN_ONNX = (
    "hierarchical_vae",
    "ladder_vae",
    "pixel_cnn",
    "transformer_prior",
    "any_size_vae",
    "sequence_vae",
    "transformer_sequence_vae",
    "language_model",
)


def outputs(path, *arrays):
    return exports.outputs(path, FORMAT, *arrays)


def export(model, folder):
    for package in exports.NEEDED[FORMAT]:
        pytest.importorskip(package)
    return exports.export(model, folder, FORMAT)


def given_to(family, num_examples):
    inputs = family.inputs(num_examples)
    return inputs if isinstance(inputs, tuple) else (inputs,)


def check(model, family, folder):
    path = export(model, folder)
    for num_examples in (1, 5):  # any number
        arrays = given_to(family, num_examples)
        (found,) = outputs(path, *arrays)
        expected = model.predict(family.inputs(num_examples), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_is_exported_or_told_what_is(family, tmp_path):
    if FORMAT == "onnx" and family.name in NOT_IN_ONNX:
        with pytest.raises(RuntimeError, match=r"onnx.*on torch.*SavedModel"):
            export(family.model(), tmp_path)
    else:
        check(family.model(), family, tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["vae", "cvae"])
@pytest.mark.parametrize("source", ["fit", "load_model", "from_preset"])
def test_export_right_after(source, name, tmp_path):
    family = BY_NAME[name]
    model = family.compiled()
    if source == "fit":
        model.fit(*family.pairs(), verbose=0)
    elif source == "load_model":
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    else:
        model.save_to_preset(tmp_path / "preset")
        model = type(model).from_preset(tmp_path / "preset")
    check(model, family, tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_encoder_and_decoder_alone(tmp_path):
    family = BY_NAME["vae"]
    model, x = family.model(), family.data(5)
    z = model.encode(x).mean
    (tmp_path / "encoder").mkdir()
    (tmp_path / "decoder").mkdir()
    mean, _ = outputs(export(model.encoder, tmp_path / "encoder"), x)
    np.testing.assert_allclose(mean, keras.ops.convert_to_numpy(z), rtol=1e-5, atol=1e-5)
    (logits,) = outputs(export(model.decoder, tmp_path / "decoder"), mean)
    expected = keras.ops.convert_to_numpy(model.decode(mean).mean)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_inputs_have_names(tmp_path):
    if FORMAT != "onnx":
        pytest.skip("said by the signature of ONNX")
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(export(BY_NAME["cvae"].model(), tmp_path))
    assert [node.name for node in session.get_inputs()] == ["x", "condition"]


def test_what_cannot_be_written_is_told_what_can(tmp_path):
    wrong = {"torch": "tf_saved_model", "jax": "onnx"}.get(BACKEND)
    if wrong:
        with pytest.raises(ValueError, match=rf"{wrong}.*on {BACKEND}.*{FORMAT}"):
            BY_NAME["vae"].model().export(str(tmp_path / "model"), format=wrong)
    unbuilt = type(BY_NAME["vae"].model())(
        keras.Sequential([keras.layers.Dense(4)]), keras.Sequential([keras.layers.Dense(4)])
    )
    with pytest.raises(ValueError, match="build"):
        unbuilt.export(str(tmp_path / "model"), format=FORMAT)
