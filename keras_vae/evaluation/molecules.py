"""How good drawn molecules are: valid, different, new."""

from collections.abc import Iterable
from typing import NamedTuple


class MoleculeShares(NamedTuple):
    """The shares that `molecule_shares` returns, each in [0, 1].

    Attributes:
        validity: Of all texts, those that are molecules.
        uniqueness: Of the valid ones, the different ones.
        novelty: Of these, those that are not known.
    """

    validity: float
    uniqueness: float
    novelty: float


def molecule_shares(molecules: Iterable[str], known: Iterable[str]) -> MoleculeShares:
    """Counts the valid, unique and novel among molecules, compared in RDKit's own form.

    Args:
        molecules: Texts in SMILES, such as a model drew. An empty one is no molecule.
        known: Texts in SMILES, such as the model was trained on; what is no molecule is left out.

    Returns:
        `MoleculeShares`; a share of nothing is 0.

    Raises:
        ImportError: If RDKit is not installed.
        ValueError: If there are no molecules.

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
    """Returns RDKit's own form of the texts that are molecules."""
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
    RDLogger.DisableLog("rdApp.*")  # a line for every text that is no molecule
    return Chem
