import importlib.util

import pytest

from keras_vae.evaluation import molecule_shares

pytestmark = pytest.mark.one_backend

HAS_RDKIT = importlib.util.find_spec("rdkit") is not None


@pytest.mark.skipif(not HAS_RDKIT, reason="RDKit is not installed")
def test_shares_by_hand():
    # Ethanol in three forms, methane, and three texts that are no molecules.
    drawn = ["CCO", "OCC", "C(O)C", "C", "C(", "", "Q"]
    found = molecule_shares(drawn, known=["OCC", "N"])
    assert found == (4 / 7, 2 / 4, 1 / 2)
    assert molecule_shares(["("], known=[]) == (0.0, 0.0, 0.0)
    assert molecule_shares(["C"], known=["Q", "", "C"]) == (1.0, 1.0, 0.0)


@pytest.mark.skipif(HAS_RDKIT, reason="RDKit is installed")
def test_without_rdkit():
    with pytest.raises(ImportError, match="pip install"):
        molecule_shares(["C"], known=[])


def test_no_molecules():
    with pytest.raises(ValueError, match="at least one"):
        molecule_shares([], known=["C"])
