"""What is written of a comparison can be read back: LaTeX, Markdown and the page."""

import html.parser
import re

import comparisons
import numpy as np
import pytest
from scipy import stats

from visionmtl import csvfile
from visionmtl.comparison import verdicts
from visionmtl.comparison.verdicts import charts, columns, latex, markdown, reading, terminal
from visionmtl.comparison.verdicts.charts import limits
from visionmtl.comparison.verdicts.charts.costs import apart, wide
from visionmtl.comparison.verdicts.judging import beats_all, judge


def judged(found):
    """Return the judgement of a comparison given as `comparison.json` holds it."""
    return judge(reading.Comparison.model_validate(found))


class Balanced(html.parser.HTMLParser):
    """Fails on a tag that is not closed where it should be; keeps text, and what is loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.sources = [], [], []

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The folder of a comparison of twenty arms, with all that is written of it."""
    folder = comparisons.written(tmp_path_factory.mktemp("compare"), comparisons.large(20))
    verdicts.write(folder)
    return folder


@pytest.mark.slow
def test_the_page_is_whole_alone_and_names_every_arm(large):
    page = Balanced()
    page.feed((large / "comparison.html").read_text(encoding="utf-8"))
    text = " ".join(page.texts)
    assert page.open == []
    assert page.sources == []
    for arm in comparisons.large(20)["arms"]:
        assert arm["name"] in text
    for words in ("validation split", "would be by chance", "2 of 3 seeds", "Hesterberg", "no difference that 3 seeds"):
        assert words in text


def test_every_chart_names_its_split():
    drawn = [chart for _, _, of in charts.of_page(judged(comparisons.large(3))) for chart in of]
    assert len(drawn) == 9
    assert {chart.split for chart in drawn} == {"validation"}


def test_there_is_no_chart_of_what_is_not_known():
    assert charts.of_page(judged(comparisons.of_scores([], []))) == []


def test_latex_reads_back_and_its_names_are_escaped():
    found = comparisons.large(20)
    text = latex.text(judged(found))
    rows = [
        row.split(r" \\")[0].split(" & ")
        for row in text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    ]
    assert len(rows) == 20
    assert {len(row) for row in rows} == {7}
    values = [of["metrics"]["detection"]["AP"] for of in found["arms"][1]["seeds"].values()]
    assert float(re.search(r"([\d.]+) \\pm", rows[1][2]).group(1)) == pytest.approx(np.mean(values), abs=5e-4)
    assert rows[11][0].strip() == r"cross\_stitch, equal"
    assert r"\{name: hard, until: P3\}" in text


def test_delta_m_is_bold_only_where_it_beats_no_sharing_at_all_too():
    def bold(hard):
        return r"\mathbf{" in latex.text(judged(comparisons.of_scores([0.5, 0.6, 0.7], hard))).split("hard & ")[1]

    assert bold([0.6, 0.7, 0.8])
    both = comparisons.of_scores([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])
    better = {seed: {"cars": {"AP": value}} for seed, value in enumerate([0.55, 0.57, 0.75])}  # than 'hard' alone
    both["arms"].append(comparisons.arm("mtan", better))
    assert r"\mathbf{+" not in latex.text(judged(both))


def test_letters_that_latex_prints_as_others_are_escaped():
    assert latex.escaped("a < b | c > d") == r"a \textless{} b \textbar{} c \textgreater{} d"


def test_a_metric_of_which_less_is_better_has_an_arrow_in_every_table():
    arms = [comparisons.arm(name, {0: {"depth": {"RMSE": 1.0}, "cars": {"AP": 0.2}}}) for name in ("hard", "mtan")]
    found = judged(comparisons.comparison(arms, [0], lower=["RMSE"]))
    assert "depth RMSE \N{DOWNWARDS ARROW} | cars AP |" in markdown.text(found)
    assert "RMSE \N{DOWNWARDS ARROW}  " in terminal.text(found)


def test_costs_that_are_nearly_the_same_look_so():
    assert wide(9.99, 10.01, 10.0) == pytest.approx((9.0, 11.0))
    assert wide(1.0, 3.0, 3.0) == (1.0, 3.0)


def test_bold_is_only_what_beats_every_other_arm():
    sure = {"a": {0: 0.5, 1: 0.5, 2: 0.5}, "b": {0: 0.6, 1: 0.61, 2: 0.62}, "c": {0: 0.4, 1: 0.4, 2: 0.41}}
    assert beats_all(sure) == "b"
    assert beats_all(sure | {"d": {0: 0.65, 1: 0.55, 2: 0.6}}) is None
    assert beats_all(sure, lower=True) == "c"
    assert beats_all({"a": {0: 0.5}, "b": {0: 0.9}}) is None


def test_markdown_has_the_same_cells_in_every_row():
    text = markdown.text(judged(comparisons.large(20)))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 22
    assert len({row.count("|") for row in rows}) == 1


def test_the_pareto_set_is_what_nothing_betters_in_both():
    points = np.array([[1.0, 5], [2, 4], [2, 3], [3, 1], [0, 0], [3, 1]])
    assert limits.pareto(points).tolist() == [True, True, False, True, False, True]


def test_an_arm_with_seeds_to_come_is_in_no_pareto_set_while_another_is_done():
    points = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 3.0]])
    assert list(limits.finished_front(points, np.array([True, False, True]))) == [True, False, True]
    assert list(limits.finished_front(points, np.zeros(3, bool))) == [False, True, True]


def test_arms_of_one_cost_stand_apart_and_others_where_they_are():
    moved = apart(np.array([1.0, 1.0, 2.0]))
    assert moved[2] == 2
    assert moved[0] < 1 < moved[1]
    assert moved[:2].mean() == pytest.approx(1)


def test_settings_that_the_search_chose_are_told_shortly():
    weighed = {"balancing.weights": {"cars": 2.0, "ground": 0.5}, "training.learning_rate": 0.003}
    assert columns.chosen(reading.Arm(name="hard", chosen=weighed)) == "weights cars=2 ground=0.5, learning_rate 0.003"
    by_task = {"cars": {"training.learning_rate": 0.001}, "ground": {}}
    assert columns.chosen(reading.Arm(name="single", alone=True, chosen=by_task)) == "cars: learning_rate 0.001"


def test_a_seed_that_failed_is_told():
    found = comparisons.of_scores([0.5, 0.5], [0.6])
    found["arms"][1]["failed"] = {"1": "its loss was not finite."}
    text = terminal.text(judged(found))
    assert "'hard' failed at seed 1: its loss was not finite." in text


def test_the_csv_file_says_what_scipy_says_of_the_same_figures(large):
    arms = {arm["name"]: arm for arm in comparisons.large(20)["arms"]}
    single = arms["single tasks"]["seeds"]
    for row in csvfile.read(large / "comparison.csv")[1:7]:
        joint = arms[row["arm"]]["seeds"]
        by_task = []
        for task, names in comparisons.METRICS.items():
            names = [name for name in names if "/" not in name]
            now, alone = (
                np.array([[of[seed]["metrics"][task][name] for name in names] for seed in joint])
                for of in (joint, single)
            )
            by_task.append((now / alone - 1).mean(axis=1))
            test = stats.ttest_rel((now / alone).mean(axis=1), np.ones(len(now)))
            ends = test.confidence_interval(0.95)
            assert float(row[f"{task} gain"]) == pytest.approx(by_task[-1].mean())
            assert float(row[f"{task} gain p"]) == pytest.approx(test.pvalue)
            assert [float(row[f"{task} gain low"]), float(row[f"{task} gain high"])] == pytest.approx(ends)
        total = np.mean(by_task, axis=0)
        drawn = stats.bootstrap((total,), np.mean, n_resamples=20000, method="percentile", random_state=1)
        ends = [float(row["delta-m percentile low"]), float(row["delta-m percentile high"])]
        assert float(row["delta-m"]) == pytest.approx(total.mean())
        assert ends == pytest.approx(drawn.confidence_interval, abs=0.05 * np.ptp(total))
