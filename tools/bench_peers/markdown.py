"""Small pieces of Markdown."""

from collections.abc import Sequence

from sakedge.peers import Ratio


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers; nothing without rows."""
    if not rows:
        return ""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def ms(value: float | None) -> str:
    """Milliseconds with three significant digits."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def times(ratio: Ratio | None) -> str:
    """A ratio and its spread."""
    return "" if ratio is None else f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def mebibytes(amount: int | None) -> str:
    """Bytes as MiB."""
    return "" if amount is None else f"{amount / 2**20:.0f}"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "" if value is None else f"{100 * value:.1f} %"


def plain(value: float | None, digits: int = 2) -> str:
    """A number."""
    return "" if value is None else f"{value:.{digits}f}"
