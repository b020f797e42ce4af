"""Scores of generations, and their summary over a split."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import bert_score
import matplotlib
import pytest

from sparsesum.base.errors import InputError
from sparsesum.scoring.encoder import minilm_folder
from sparsesum.scoring.means import METRICS as SUMMARISED
from sparsesum.scoring.means import summary
from sparsesum.scoring.similarity import METRICS, score


def record(name: str, prediction: str, reference: str, cut_off: bool = False) -> dict:
    return {
        "id": name,
        "prediction": prediction,
        "reference": reference,
        "tokens": 3,
        "cut_off": cut_off,
    }


RECORDS = [
    record("us-0", "Makes grants to Ohio.", "Makes a grant to Utah."),
    record("us-1", "", "Repeals a tax."),
    record("us-2", "Repeals a tax.", "Repeals a tax.", cut_off=True),
    record("us-3", " \n ", "Repeals a tax.", cut_off=True),
    record("us-4", "Repeals a tax.", " "),
]


def test_scores_of_each_example_in_order():
    found = score(RECORDS, minilm_folder(), num_layers=6, batch_size=2)
    assert [list(example) for example in found] == [["id", *METRICS, "blank", "cut_off"]] * 5
    assert [example["id"] for example in found] == ["us-0", "us-1", "us-2", "us-3", "us-4"]
    assert [example["blank"] for example in found] == [False, True, False, True, False]
    assert [example["cut_off"] for example in found] == [False, False, True, True, False]
    # "make grant to ohio" and "make a grant to utah", stemmed: 3 words and "grant to" in common.
    first = found[0]
    assert first["rouge1"] == first["rougeL"] == first["rougeLsum"] == pytest.approx(6 / 9)
    assert first["rouge2"] == pytest.approx(2 / 7)
    expected = bert_score.score(
        [RECORDS[0]["prediction"]],
        [RECORDS[0]["reference"]],
        model_type=str(minilm_folder()),
        num_layers=6,
        device="cpu",
    )
    assert first["bertscore"] == pytest.approx(expected[2].item(), abs=1e-5)
    assert [found[2][metric] for metric in METRICS] == pytest.approx([1.0] * 5, abs=1e-5)
    assert [found[i][metric] for i in (1, 3, 4) for metric in METRICS] == [0.0] * 15


def test_only_blank_predictions():
    found = score(RECORDS[1:2], minilm_folder(), num_layers=6, batch_size=2)
    assert [found[0][metric] for metric in METRICS] == [0.0] * 5


def test_any_string_can_be_scored():
    odd = [record("odd", "a \ud800 bill \x00", "a bill")]
    assert score(odd, minilm_folder(), num_layers=6, batch_size=2)[0]["rouge1"] == 1.0


def test_the_encoder_runs_where_it_is_told_to():
    """On torch's device without data it cannot, and says so."""
    with pytest.raises(RuntimeError, match="meta"):
        score(RECORDS, minilm_folder(), num_layers=6, batch_size=2, device="meta")


def test_nothing_gives_nothing():
    assert score([], minilm_folder(), num_layers=6, batch_size=2) == []


JOB = """
import json, sys
from pathlib import Path
from sparsesum.scoring.similarity import score
records = json.loads(sys.argv[1])
print(json.dumps(score(records, Path(sys.argv[2]), num_layers=6, batch_size=8)))
"""


@pytest.mark.long("two processes score 24 texts each with the true encoder")
def test_jobs_side_by_side_agree_to_the_bit_and_leave_nothing_behind(tmp_path: Path):
    # Texts of one length in words, of many in tokens: in another order batches would be padded
    # otherwise, which bert-score's own batches show in the last digits.
    words = "tax repeals extraordinarily unconstitutional of deauthorization Muskegon farm".split()
    draw = random.Random(0)
    texts = [" ".join(draw.choices(words, k=80)) for _ in range(48)]
    records = [record(str(i), texts[i], texts[-1 - i]) for i in range(24)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment.pop("XDG_CACHE_HOME", None)
    # Spares each job a list of all fonts, and a fight for the cores.
    environment |= {"MPLCONFIGDIR": matplotlib.get_cachedir(), "OMP_NUM_THREADS": "1"}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", JOB, json.dumps(records), str(minilm_folder())],
            env=environment
            | {"HOME": str(tmp_path), "TMPDIR": str(scratch), "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    first, second = (job.communicate(timeout=120)[0] for job in jobs)
    assert [job.returncode for job in jobs] == [0, 0]
    assert len(json.loads(first)) == 24
    assert first == second
    assert not (tmp_path / ".cache" / "huggingface").exists()
    assert list(scratch.glob("sparsesum-*")) == []


SHARES = [f"{mark}_share{end}" for mark in ("blank", "cut_off") for end in ("", "_low", "_high")]


def example(value: float, blank: bool = False, cut_off: bool = False) -> dict:
    return {
        "id": "x",
        **{metric: value * (i + 1) / 10 for i, metric in enumerate(SUMMARISED)},
        "blank": blank,
        "cut_off": cut_off,
    }


def test_summary():
    examples = [example(0.0, blank=True), example(1.0, cut_off=True)] * 50
    found = summary(examples, resamples=2000, seed=1)
    assert list(found) == ["examples", *SUMMARISED, *SHARES]
    assert found["examples"] == 100
    assert found["blank_share"] == found["cut_off_share"] == 0.5
    # Wilson: (0.5 + z^2/2n -+ z sqrt(0.25/n + z^2/4n^2)) / (1 + z^2/n), z = 1.96.
    assert found["blank_share_low"] == pytest.approx(0.4038, abs=1e-4)
    assert found["cut_off_share_high"] == pytest.approx(0.5962, abs=1e-4)
    for i, metric in enumerate(SUMMARISED):
        unit = (i + 1) / 10
        # Of 100 draws at one half, 40 to 60 hit in 95 % (standard deviation 5).
        assert found[metric]["mean"] == pytest.approx(0.5 * unit)
        assert found[metric]["low"] == pytest.approx(0.4 * unit, abs=0.02 * unit)
        assert found[metric]["high"] == pytest.approx(0.6 * unit, abs=0.02 * unit)
    assert json.loads(json.dumps(found)) == found


def test_shares_are_counted_apart():
    examples = [example(0.1, blank=True)] + [example(0.2, cut_off=True)] * 2 + [example(0.3)]
    found = summary(examples, resamples=100, seed=1)
    assert (found["blank_share"], found["cut_off_share"]) == (0.25, 0.5)


def test_summary_of_one_example_has_no_width():
    found = summary([example(1.0)], resamples=100, seed=1)
    assert found["rouge2"] == {"mean": 0.2, "low": 0.2, "high": 0.2}


def test_summary_of_metrics_without_a_value():
    nan = float("nan")
    examples = [example(i / 4) | {"unsupported": nan, "rep_2": nan} for i in range(4)]
    examples[1]["rep_2"], examples[2]["rep_2"] = 0.5, 1.0
    found = summary(examples, 200, 1)
    assert found["unsupported"] == {"mean": None, "low": None, "high": None, "examples": 0}
    assert found["rep_2"] == {"mean": 0.75, "low": 0.5, "high": 1.0, "examples": 2}
    assert "examples" not in found["rouge1"]
    json.dumps(found, allow_nan=False)


def test_summary_seed():
    examples = [example(i / 7) for i in range(8)]
    assert summary(examples, 200, 1) == summary(examples, 200, 1)
    assert summary(examples, 200, 1) != summary(examples, 200, 2)


def test_summary_of_nothing_is_refused():
    with pytest.raises(InputError, match="no examples"):
        summary([], resamples=100, seed=1)


def test_summary_needs_no_torch():
    code = (
        "import sys; from sparsesum.scoring.means import METRICS, summary;"
        "base = {'blank': False, 'cut_off': False};"
        "summary([{**dict.fromkeys(METRICS, v), **base} for v in (0.1, 0.2)], 100, 1);"
        "print({'torch', 'transformers', 'evaluate'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
