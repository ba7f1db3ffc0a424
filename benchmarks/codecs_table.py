"""The numbers of compressed files, and the tables that `docs/codecs.md` shows of them."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "codecs.json"
PAGE = ROOT / "docs" / "codecs.md"
PUBLISHED = {"vae_mnist": 0.19}  # Townsend et al. 2019, a VAE of binarised digits
FORMATS = ("gzip -9", "bz2 -9", "PNG", "WebP")


def table(results):
    """Returns the tables of the page, in Markdown."""
    head = ["model", "data", "file", "bound", "file / bound", *FORMATS, "published"]
    lines = [" | ".join(["", *head, ""]).strip(), "|" + "---|" * len(head)]
    rows = [row for row in results.values() if isinstance(row, dict) and "bits" in row]
    for row in rows:
        others = [f"{row['others'][k]:.4f}" if k in row["others"] else "" for k in FORMATS]
        numbers = f"{row['bits']:.4f}", f"{row['bound']:.4f}", f"{row['bits'] / row['bound']:.4f}"
        what = f"{row['examples']:,} {row['data']}"
        what += f", mean squared error {row['mse']:.4f}" if row["mse"] else ""
        published = str(PUBLISHED.get(row["case"], ""))
        lines.append("| " + " | ".join([_code(row["case"]), what, *numbers, *others, published]))
        lines[-1] += " |"
    lines += ["", "| model | backend | written | read | gzip -9 |", "|---|---|---|---|---|"]
    for row in rows:
        speeds = [row["values"] / 1e6 / s for s in row["seconds"].values()]
        cells = [_code(row["case"]), row["backend"], *(f"{s:.3g}" for s in speeds)]
        lines.append("| " + " | ".join(cells) + " |")
    if "memory" in results:
        lines += ["", "| digits | x itself, MB | more while written | more, once read |"]
        lines += ["|---|---|---|---|"]
        for count, (written, read, own) in results["memory"].items():
            lines.append(f"| {int(count):,} | {own:.0f} | {written:.0f} | {read:.0f} |")
    if "margins" in results:
        lines += ["", "| model | outputs | largest difference, in margins |", "|---|---|---|"]
        for preset, parts in results["margins"].items():
            for row in parts:
                what = f"{row['part']}, {row['kind'].replace('_', ' ')}"
                lines.append(f"| `{preset}` | {what} | {row['in_margins']:.3f} |")
    return "\n".join(lines)


def _code(name):
    return f"`{name}`" if "_" in name else name


def read_results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def write_results(results):
    """Keeps the numbers, and writes the page's tables again."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    begin, end = "<!-- benchmarks/codecs.py -->\n", "\n<!-- end -->"
    text = PAGE.read_text()
    before, rest = text.split(begin)
    PAGE.write_text(before + begin + table(results) + end + rest.split(end)[1])
