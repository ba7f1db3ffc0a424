"""Quality of generated molecules: validity, uniqueness, novelty."""

from collections.abc import Iterable
from typing import NamedTuple


class MoleculeShares(NamedTuple):
    """The fractions that `molecule_shares` returns, each in [0, 1].

    Attributes:
        validity: Float, the fraction of all texts that are molecules.
        uniqueness: Float, the fraction of the valid molecules that are distinct.
        novelty: Float, the fraction of the distinct molecules that are not known.
    """

    validity: float
    uniqueness: float
    novelty: float


def molecule_shares(molecules: Iterable[str], known: Iterable[str]) -> MoleculeShares:
    """Returns the fractions of valid, unique and novel molecules, compared in canonical SMILES.

    Args:
        molecules: SMILES strings, such as samples of a model. An empty string is not a molecule.
        known: SMILES strings, such as the training data. Those that are not molecules are ignored.

    Returns:
        `MoleculeShares`; a fraction of zero molecules is 0.

    Raises:
        ImportError: If RDKit is not installed.
        ValueError: If `molecules` is empty.

    Example:

    ```python
    molecule_shares(model.sample(10_000), data.vocabulary.decode(data.train.x))
    ```

    Reference:
        - [Polykovskiy et al., 2020](https://arxiv.org/abs/1811.12823), section 4
    """
    molecules = list(molecules)
    if not molecules:
        raise ValueError("`molecules` must hold at least one text. Received: none.")
    valid, seen = _canonical(molecules), set(_canonical(known))
    unique = set(valid)
    return MoleculeShares(
        len(valid) / len(molecules),
        len(unique) / max(len(valid), 1),
        len(unique - seen) / max(len(unique), 1),
    )


def _canonical(texts):
    """Returns the canonical SMILES of the texts that are molecules."""
    chem = _rdkit()
    parsed = [chem.MolFromSmiles(text) if text else None for text in texts]
    return [chem.MolToSmiles(molecule) for molecule in parsed if molecule is not None]


def _rdkit():
    try:
        from rdkit import Chem
        from rdkit import RDLogger
    except ImportError as error:
        raise ImportError(
            'Molecules are parsed by RDKit, which is not installed: pip install "rdkit"'
        ) from error
    RDLogger.DisableLog("rdApp.*")  # it logs a line for every text that is not a molecule
    return Chem
