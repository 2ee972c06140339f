"""A `Balance` in words: how many files and annotations, and what became of them; the numbers add up."""

from collections.abc import Iterable

from pipelines.accounts.account import ASIDE, LOST, USED, Balance, printable

SHOWN = 3  # names of files that a rule set aside
LISTED = 20  # files that were not understood, and sentences on annotations


def text(balance: Balance) -> str:
    """Return the account of a folder as lines of text.

    Example:
        >>> from pathlib import Path
        >>> from pipelines.accounts.account import Account
        >>> print(text(Account().balance()))
        Files: 0 = 0 used + 0 set aside + 0 not understood
        Annotations: 0 = 0 used + 0 set aside + 0 not understood
    """
    lines = [files(balance)]
    kinds = ", ".join(f"{count:,} {what}" for what, count in sorted(balance.annotations.items()) if count)
    out = balance.annotations_aside.total(), balance.annotations_lost.total()
    lines.append(_sum("Annotations", balance.annotations_used, *out) + (f" ({kinds})" if kinds else ""))
    lines += [f"  {USED}, {words}: {count:,}" for words, count in sorted(balance.annotations_altered.items()) if count]
    lines += [f"  {ASIDE}, {rule}: {count:,}" for rule, count in sorted(balance.annotations_aside.items())]
    lines += _listed(f"{count:,}: {reason}" for reason, count in sorted(balance.annotations_lost.items()))
    return "\n".join(lines)


def files(balance: Balance) -> str:
    """Return the account of the files alone as lines of text."""
    aside = sum(map(len, balance.aside.values()))
    lines = [_sum("Files", balance.used.total(), aside, len(balance.lost))]
    lines += [f"  {USED} as {words}: {count:,}" for words, count in sorted(balance.used.items())]
    lines += [f"  {ASIDE}, {rule}: {len(names):,} ({_few(names)})" for rule, names in sorted(balance.aside.items())]
    lines += _listed(f"{printable(name)}: {reason}" for name, reason in sorted(balance.lost.items()))
    if balance.elsewhere:
        words = ", ".join(f"{count:,} {what}" for what, count in sorted(balance.elsewhere.items()))
        lines.append(f"  outside the folder: {words}")
    return "\n".join(lines)


def _sum(what: str, used: int, aside: int, lost: int) -> str:
    return f"{what}: {used + aside + lost:,} = {used:,} {USED} + {aside:,} {ASIDE} + {lost:,} {LOST}"


def _listed(lost: Iterable[str]) -> list[str]:
    lines = list(lost)
    more = [f"  {LOST}: {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    return [f"  {LOST}: {line}" for line in lines[:LISTED]] + more


def _few(names: list[str]) -> str:
    return ", ".join(map(printable, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
