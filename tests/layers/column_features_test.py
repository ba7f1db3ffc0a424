import numpy as np
from keras import ops

from keras_vae import Column
from keras_vae import TableSchema
from keras_vae.layers import ColumnFeatures

SCHEMA = TableSchema(
    [
        Column("a", "real"),
        Column("b", "categorical", ("x", "y", "z")),
        Column("c", "positive"),
        Column("d", "ordinal", (1, 2, 3)),
        Column("e", "count", location=np.log(3.0), scale=0.5),
    ]
)


def test_numbers_classes_and_mask():
    layer = ColumnFeatures(SCHEMA)
    x = np.array([[0.3, 2, np.e, 2, 3], [np.nan] * 5], "float32")
    features = ops.convert_to_numpy(layer(x))
    embedding = ops.convert_to_numpy(layer.embeddings[0])
    assert features.shape == layer.compute_output_shape((2, 5))
    np.testing.assert_allclose(features[0, :4], [0.3, 1.0, 1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(features[0, 4:6], embedding[2])
    np.testing.assert_allclose(features[1, :4], 0)
    np.testing.assert_allclose(features[1, 4:6], embedding[3])
    np.testing.assert_array_equal(features[:, 6:], [[1] * 5, [0] * 5])


def test_config_round_trip():
    layer = ColumnFeatures.from_config(ColumnFeatures(SCHEMA).get_config())
    assert layer.schema.columns == SCHEMA.columns
