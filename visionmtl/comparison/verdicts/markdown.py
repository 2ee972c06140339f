"""A comparison in Markdown: the whole table, and the verdicts below."""

from visionmtl.comparison.verdicts import sentences
from visionmtl.comparison.verdicts.columns import LEFT, columns
from visionmtl.comparison.verdicts.judging import Judgement


def text(judgement: Judgement) -> str:
    """Return the table, the verdicts as a list, and what is to be known of them."""
    shown = columns(judgement, full=True)
    heads = [column.head for column in shown]
    rule = ["---" if head in LEFT else "---:" for head in heads]
    rows = zip(*([str(cell).replace("|", "\\|") for cell in column.cells] for column in shown), strict=True)
    table = ["| " + " | ".join(row) + " |" for row in (heads, rule, *rows)]
    verdicts = [f"- **{judged.arm.name}**: {said}." for judged in judgement.arms if (said := sentences.of_arm(judged))]
    below = [f"- {sentence}" for sentence in sentences.below(judgement)]
    return "\n".join([*table, "", sentences.legend(judgement), "", *verdicts, "", *below]) + "\n"
