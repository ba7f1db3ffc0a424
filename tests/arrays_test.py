import keras
import numpy as np
import pytest

from keras_vae import arrays

X = np.arange(6, dtype="float32").reshape(2, 3)


class Column(list):
    dtype = "text"


class Frame:
    """What a table of pandas shows of itself."""

    def __init__(self, **columns):
        self.given = {name: Column(values) for name, values in columns.items()}
        self.columns, self.dtypes = list(columns), {}
        self.shape = (len(next(iter(columns.values()), ())), len(columns))

    def items(self):
        return self.given.items()


def test_arrays_are_told_from_data_sets():
    assert arrays.is_array(X)
    assert arrays.is_array(keras.ops.zeros(3))
    assert not arrays.is_array([1, 2])
    assert arrays.is_frame(Frame(a=[1.0]))
    assert not arrays.is_frame(X)


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.tolist(),
        list(X),
        X[:, ::-1][:, ::-1],
        X.astype(">f4"),
        X.astype("longdouble"),
        X.astype(object),
        np.ma.masked_array(X, np.zeros(X.shape, bool)),
        np.asfortranarray(X),
    ],
)
def test_all_these_are_one_array(given):
    array = arrays.to_numpy(given)
    np.testing.assert_array_equal(array, X)
    assert type(array) is np.ndarray
    assert array.dtype.isnative
    assert array.dtype.itemsize <= 8
    assert min(array.strides) > 0


def test_tensors_of_any_library():
    np.testing.assert_array_equal(arrays.to_numpy(keras.ops.convert_to_tensor(X)), X)
    low = keras.ops.cast(X, "bfloat16")
    assert arrays.to_numpy(low).dtype == "float32"
    np.testing.assert_array_equal(arrays.to_numpy(low), X)


def test_torch_tensors_with_gradients():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(arrays.to_numpy(torch.tensor(X, requires_grad=True) * 1), X)


def test_a_file_on_the_disk_is_not_read(tmp_path):
    np.save(tmp_path / "x.npy", X)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert arrays.to_numpy(on_disk).base is on_disk
    (path := tmp_path / "x.h5").touch()
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        np.testing.assert_array_equal(arrays.to_numpy(file.create_dataset("x", data=X)), X)


def test_columns_of_a_table():
    table = Frame(a=[1, 2], b=[0.5, None], c=[True, False])
    np.testing.assert_array_equal(arrays.to_numpy(table), [[1, 0.5, 1], [2, np.nan, 0]])
    with pytest.raises(ValueError, match="columns that are not numbers: 'name'") as error:
        arrays.to_numpy(Frame(a=[1, 2], name=["x", "y"]), "table")
    assert "`table`" in str(error.value)
    assert "'a'" not in str(error.value)


@pytest.mark.one_backend
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_tables_of_other_libraries(library):
    module = pytest.importorskip(library)
    make = module.table if library == "pyarrow" else module.DataFrame
    table = make({"a": [1, 2], "b": [0.5, None], "c": [True, False]})
    np.testing.assert_array_equal(arrays.to_numpy(table), [[1, 0.5, 1], [2, np.nan, 0]])
    with pytest.raises(ValueError, match="not numbers: 'name'"):
        arrays.to_numpy(make({"a": [1, 2], "name": ["x", "y"]}))


@pytest.mark.parametrize(
    "bad, words",
    [
        ([X, X[0]], "must be one array of numbers"),
        ([[1, 2], [3]], "must be one array of numbers"),
        (np.ma.masked_array(X, X > 3), "2 missing values"),
    ],
)
def test_what_is_no_array(bad, words):
    with pytest.raises(ValueError, match="`data`") as error:
        arrays.to_numpy(bad, "data")
    assert words in str(error.value)


def test_sparse_arrays():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match=r"`x` is sparse.*toarray\(\)"):
        arrays.to_numpy(sparse.csr_matrix(X))


def test_blocks_cover_all_rows():
    x = np.arange(300_000, dtype="float32").reshape(1000, 300)
    found = [block for (block,) in arrays.blocks(x)]
    np.testing.assert_array_equal(np.concatenate(found), x)
    assert len(found) > 1
    assert all(block.base is not None for block in found)  # views


def test_what_does_not_fit_into_memory():
    available = arrays.available_memory()
    assert available is None or available > 10**6
    arrays.check_memory("num_samples", 10, (28, 28, 1))
    if available:
        with pytest.raises(ValueError, match=r"`num_samples=1000000000000`.*GB"):
            arrays.check_memory("num_samples", 10**12, (28, 28, 1))
