import datetime
import json
from decimal import Decimal

import numpy as np
import pytest

import keras_vae
from keras_vae import Column
from keras_vae import TableSchema
from keras_vae.table_schema import schema_of

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
TABLE = {
    "height": RNG.normal(170, 10, 200).tolist(),
    "income": np.exp(RNG.normal(10, 2, 200)).tolist(),
    "visits": RNG.poisson(30, 200).tolist(),
    "city": RNG.choice(["Bonn", "Ulm", "Kiel"], 200).tolist(),
    "grade": RNG.integers(1, 6, 200).tolist(),
    "member": (RNG.random(200) < 0.3).tolist(),
}
KINDS = ["real", "positive", "count", "categorical", "ordinal", "boolean"]


def test_kinds_are_inferred():
    schema = TableSchema.infer(TABLE)
    assert [column.kind for column in schema.columns] == KINDS
    assert schema.columns[3].categories == ("Bonn", "Kiel", "Ulm")
    assert repr(schema).startswith("TableSchema(height: real, income: positive")


def test_rows_come_back():
    schema = TableSchema.infer(TABLE)
    x = schema.encode(TABLE)
    assert x.dtype == "float32"
    back = schema.decode(x)
    for name in ("visits", "city", "grade", "member"):
        assert back[name] == TABLE[name]
    for name in ("height", "income"):
        np.testing.assert_allclose(back[name], TABLE[name], rtol=1e-5)


def test_real_columns_are_standardised_and_positive_ones_scaled():
    x = TableSchema.infer(TABLE).encode(TABLE)
    assert x[:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert x[:, 0].std() == pytest.approx(1, abs=1e-5)
    assert np.log(x[:, 1]).mean() == pytest.approx(0, abs=1e-5)


def test_missing_values_become_nan_and_none_again():
    schema = TableSchema.infer(TABLE)
    row = {name: [None] for name in TABLE}
    x = schema.encode(row)
    assert np.isnan(x).all()
    assert schema.decode(x) == row


def test_config_survives_json():
    schema = TableSchema.infer(TABLE)
    again = TableSchema.from_config(json.loads(json.dumps(schema.get_config())))
    assert again.columns == schema.columns


def test_a_kind_can_be_changed():
    schema = TableSchema.infer(TABLE).with_kind("visits", "real", location=30.0, scale=5.0)
    assert schema.columns[2].kind == "real"
    assert TableSchema.infer(TABLE, {"grade": "categorical"}).columns[4].kind == "categorical"


@pytest.mark.parametrize(
    ("name", "kind", "absent"),
    [
        ("grade", "real", "`location` and `scale`"),
        ("height", "count", "`location` and `scale`"),
        ("visits", "real", "`location` and `scale`"),
        ("visits", "positive", "`scale`"),
        ("visits", "ordinal", "`categories`"),
    ],
)
def test_a_kind_cannot_be_changed_without_what_the_new_one_needs(name, kind, absent):
    advice = rf"TableSchema.infer\(table, kinds={{'{name}': '{kind}'}}\)"
    with pytest.raises(ValueError, match=rf"cannot become {kind} without the {absent}.*{advice}"):
        TableSchema.infer(TABLE).with_kind(name, kind)


def test_classes_that_become_numbers_are_numbers():
    years = {"year": list(range(1995, 2011)) * 20}
    schema = TableSchema.infer(years)
    assert schema.columns[0].kind == "ordinal"
    schema = schema.with_kind("year", "real", location=2000.0, scale=5.0, is_whole=True)
    assert schema.columns[0].categories == ()
    assert schema.decode(schema.encode(years)) == years


def test_a_change_of_kind_keeps_what_means_the_same():
    schema = TableSchema.infer(TABLE)
    nominal = schema.with_kind("grade", "categorical").columns[4]
    assert nominal.categories == schema.columns[4].categories
    visits = schema.with_kind("visits", "positive", scale=30.0).columns[2]
    assert (visits.least, visits.most) == (min(TABLE["visits"]), max(TABLE["visits"]))
    assert visits.is_whole
    assert visits.location == 0.0
    of_classes = schema.with_kind("height", "ordinal", categories=(160, 170)).columns[0]
    assert of_classes == Column("height", "ordinal", (160, 170))
    ordered = schema.with_kind("city", "categorical", categories=("Ulm", "Kiel", "Bonn"))
    assert ordered.columns[3].categories == ("Ulm", "Kiel", "Bonn")


def test_decimal_numbers_are_numbers():
    prices = {"price": [Decimal("1.5"), Decimal("2.25"), Decimal("NaN"), Decimal("9.75")]}
    schema = TableSchema.infer(prices)
    assert schema.columns[0].kind == "real"
    x = schema.encode(prices)
    np.testing.assert_array_equal(np.isnan(x[:, 0]), [False, False, True, False])
    back = schema.decode(x)["price"]
    assert back[2] is None
    assert back[:2] + back[3:] == pytest.approx([1.5, 2.25, 9.75])
    shares = TableSchema.infer({"share": [Decimal("0.1"), Decimal("0.2")]}, {"share": "ordinal"})
    np.testing.assert_array_equal(shares.encode({"share": [Decimal("0.2"), 0.1]}), [[1], [0]])


@pytest.mark.parametrize("kinds", [None, {"day": "categorical"}])
@pytest.mark.parametrize(
    "days",
    [
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
        np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"),
        np.array([1, 2], "timedelta64[D]"),
        [1j, 2j],
    ],
)
def test_what_is_no_number_text_or_boolean_is_refused(days, kinds):
    with pytest.raises(ValueError, match="The column 'day' holds a value that no kind"):
        TableSchema.infer({"day": days}, kinds)


def test_a_date_does_not_belong_to_a_column_of_numbers():
    schema = TableSchema([Column("a", "real")])
    with pytest.raises(ValueError, match="Row 1, column 'a'"):
        schema.encode({"a": np.array(["2020-01-01"], "datetime64[ns]")})
    with pytest.raises(ValueError, match="Row 1, column 'a'"):
        schema.encode({"a": [10**400]})


def test_a_kind_that_the_values_of_a_column_do_not_have():
    with pytest.raises(ValueError, match=r"column 'a' cannot be real.*Received: 'x'"):
        TableSchema.infer({"a": ["1", "x"]}, {"a": "real"})
    with pytest.raises(ValueError, match=r"column 'a' cannot be real.*Received: inf"):
        TableSchema.infer({"a": [1.5, float("inf")]}, {"a": "real"})
    with pytest.raises(ValueError, match=r"kind of 'a'.*must be one of 'real'.*'reel'"):
        TableSchema.infer({"a": ["x", "y"]}, {"a": "reel"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("city", "Rome", r"Row 2, column 'city'.*one of 'Bonn'"),
        ("height", "tall", r"Row 2, column 'height'.*a finite number"),
        ("income", -3.0, r"Row 2, column 'income'.*above 0"),
        ("visits", 2.5, r"Row 2, column 'visits'.*whole number"),
    ],
)
def test_a_bad_value_is_named_by_row_and_column(name, value, expected):
    rows = {k: [v[0], v[1]] for k, v in TABLE.items()}
    rows[name][1] = value
    with pytest.raises(ValueError, match=expected):
        TableSchema.infer(TABLE).encode(rows)


def test_tables_and_columns_that_do_not_fit():
    schema = TableSchema.infer(TABLE)
    with pytest.raises(ValueError, match=r"lacks the columns \['income'"):
        schema.encode({"height": [1.0]})
    with pytest.raises(ValueError, match="one value only"):
        TableSchema.infer({"a": ["x", "x"]})
    with pytest.raises(ValueError, match="has no values"):
        TableSchema.infer({"a": [None]})
    with pytest.raises(ValueError, match="`kinds` names columns"):
        TableSchema.infer(TABLE, {"weight": "real"})
    with pytest.raises(ValueError, match=r"duplicate names \['a'\]"):
        TableSchema([Column("a", "real"), Column("a", "real")])
    with pytest.raises(ValueError, match="must be one of"):
        Column("a", "integer")
    with pytest.raises(ValueError, match="at least two different"):
        Column("a", "ordinal", ("x",))
    with pytest.raises(ValueError, match="exactly two different"):
        Column("a", "boolean", ("x", "y", "z"))
    with pytest.raises(ValueError, match="takes no `categories`"):
        Column("a", "real", (1, 2))
    with pytest.raises(ValueError, match="`scale`"):
        Column("a", "real", scale=0.0)


def test_draws_are_kept_within_the_range_of_a_column():
    schema = TableSchema.infer(TABLE)
    x = schema.encode(TABLE)
    far = np.where(np.arange(200)[:, None] < 100, -1e6, 1e6) * np.ones(6)
    rows = schema.decode(schema.clipped(far.astype("float32")))
    for name in ("height", "income", "visits"):
        ends = min(TABLE[name]), max(TABLE[name])
        np.testing.assert_allclose((min(rows[name]), max(rows[name])), ends, rtol=1e-5)
    np.testing.assert_array_equal(schema.clipped(x), x)


def test_new_data_may_lie_outside_the_range():
    schema = TableSchema.infer(TABLE)
    row = {**{k: v[:1] for k, v in TABLE.items()}, "visits": [10_000]}
    assert schema.decode(schema.encode(row))["visits"] == [10_000]


def test_a_range_that_is_none():
    with pytest.raises(ValueError, match=r"`least`.*must not exceed"):
        Column("a", "real", least=2.0, most=1.0)


def test_the_schema_of_a_model():
    schema = TableSchema.infer(TABLE)
    networks = keras_vae.TableEncoder(schema, 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    model = keras_vae.VAE(*networks, keras_vae.GaussianLikelihood())
    assert schema_of(model).columns == schema.columns
    pictures = keras_vae.MLPEncoder((4,), 2, (4,)), keras_vae.MLPDecoder((4,), 2, (4,))
    assert schema_of(keras_vae.VAE(*pictures)) is None
