"""The model card of a row, from known scores, costs and records."""

import ast

import pytest
from huggingface_hub import ModelCard

from sparsesum.pages import model_card

HUB = {"source": "facebook/opt-125m", "revision": "27dc", "hub": True, "splits": {}}
BILLSUM = {
    "source": "FiscalNote/billsum",
    "revision": "80bf",
    "hub": True,
    "splits": {"validation": "ca_test", "test": "test"},
}
FOLDER = {"source": "/home/somebody/models/mine", "revision": None, "hub": False, "splits": {}}
PROMPT = {"before": 'Say "it" ü:\n\\n', "after": "\n\nShort:\n", "stop": "### End"}


def figure(mean: float | None) -> dict:
    return {"mean": mean, "low": mean and mean - 0.01, "high": mean and mean + 0.02}


def summary(rouge: float, unsupported: float | None) -> dict:
    found = dict.fromkeys(("rouge1", "rouge2", "fact_f1"), figure(0.5))
    found |= {"examples": 100, "rougeLsum": figure(rouge), "bertscore": figure(0.71)}
    found["unsupported"] = figure(unsupported)
    for share in ("blank_share", "cut_off_share"):
        found |= {share: 0.03, f"{share}_low": 0.01, f"{share}_high": 0.08}
    return found


def record(rule: str, given: list[str], made: list[str], **params) -> dict:
    day = f"2026-11-{len(given) + 10}T10:00:00+00:00"
    params |= {"code": {"x.py": "0"}, "threads": 2, "device": "cpu"}
    return {"rule": rule, "inputs": given, "outputs": made, "params": params, "made": day}


WEIGHTS = {  # as a lineage has them: the last job first
    "qlora/provenance.json": record(
        "qlora", ["pruned", "dense"], ["base"], settings={"rank": 4, "seed": 43, "loss": "summary"}
    ),
    "prune/provenance.json": record(
        "prune", ["dense", "calibration"], ["pruned"], pruner="wanda", pattern="2of4", options={}
    ),
    "calibration.provenance.json": record(
        "calibration", ["dense"], ["calibration"], sequences=32, text=None, source=""
    ),
    "dense/provenance.json": record("dense", [], ["dense"], source="/home/somebody/models/mine"),
}
EXAMPLES = record("examples", [], [], encoder="/home/somebody/encoders/roberta", layer=17)
RECORDS = {
    "jobs": WEIGHTS | {"examples": EXAMPLES},
    "git": [{"commit": "c1", "clean": True}, {"commit": "c2", "clean": False}],
    "device": ["Some CPU, 2 threads"],
    "versions": [{"torch": "2.13.0+cpu", "transformers": "5.23.0", "peft": "0.21.2"}],
}
COSTS = {
    "parameters": 1234567,
    "nonzero_parameters": 765432,
    "size_mb": 1.7391,
    "ms_per_token": {"dense": 1.5},
    "device": "Some CPU",
    "dtype": "float32",
    "engine": "dense",
}
CARD = model_card.Card(
    row={"corpus": "billsum", "model": "opt-125m", "variant": "wanda_2of4", "finetuning": "qlora"},
    scores={"validation": summary(0.30001, 0.25), "test": summary(0.4, 0.125)},
    costs=COSTS,
    weights=WEIGHTS,
    records=RECORDS,
    model=HUB,
    corpus=BILLSUM,
    prompt=PROMPT,
    text=256,
    max_new_tokens=96,
    config={"max_position_embeddings": 2048, "quantization_config": {}},
    adapter=True,
    packed=None,
    sizes={"model.safetensors": 1234},
    hashes={"model.safetensors": "ab" * 32},
    preset="paper",
    note="A note.\n",
)
FLOAT = CARD._replace(config={"max_position_embeddings": 2048}, adapter=False)


def lines(card: model_card.Card) -> list[str]:
    return [" ".join(line.split()) for line in model_card.markdown(card).splitlines()]


def test_the_hub_reads_where_model_and_data_come_from_and_the_scores():
    data = ModelCard(model_card.markdown(CARD)).data
    assert (data.base_model, data.datasets) == ("facebook/opt-125m", ["FiscalNote/billsum"])
    assert (data.license, data.license_name) == ("other", "opt-175b-license")
    assert data.license_link.endswith("OPT/MODEL_LICENSE.md")
    assert (data.library_name, data.pipeline_tag) == ("transformers", "summarization")
    assert {"opt", "pruning", "8-bit", "bitsandbytes", "lora", "peft"} <= {*data.tags}
    results = {
        (each.dataset_type, each.dataset_split, each.metric_type): each.metric_value
        for each in data.eval_results
    }
    assert results == {
        ("FiscalNote/billsum", "ca_test", "rouge"): 0.3,
        ("FiscalNote/billsum", "ca_test", "bertscore"): 0.71,
        ("FiscalNote/billsum", "test", "rouge"): 0.4,
        ("FiscalNote/billsum", "test", "bertscore"): 0.71,
    }
    assert {each.dataset_revision for each in data.eval_results} == {"80bf"}


def test_of_folders_the_hub_is_told_nothing_and_nobody_their_paths():
    text = model_card.markdown(CARD._replace(model=FOLDER, corpus=BILLSUM | FOLDER))
    data = ModelCard(text).data
    assert data.base_model is data.datasets is data.eval_results is data.license_name is None
    assert data.license == "other"
    assert "The licence of the model's source holds (the folder mine)" in text
    assert "/home/somebody" not in text and "OPT-175B" not in text
    assert "source mine" in text and "by roberta, layer 17" in text


def test_tags_are_the_rows_own():
    base = FLOAT._replace(weights={"dense": WEIGHTS["dense/provenance.json"]})
    assert ModelCard(model_card.markdown(base)).data.tags == ["summarization", "opt"]


def test_the_figures_are_there_with_their_intervals():
    found = lines(CARD)
    assert "| Score | Validation | Test |" in found and "| Texts | 100 | 100 |" in found
    assert "| ROUGE-Lsum | 0.300 [0.290, 0.320] | 0.400 [0.390, 0.420] |" in found
    assert "| Unsupported facts | 0.250 [0.240, 0.270] | 0.125 [0.115, 0.145] |" in found
    assert "| Cut off | 0.030 [0.010, 0.080] | 0.030 [0.010, 0.080] |" in found
    assert "| Parameters | 1,234,567 |" in found and "| Nonzero parameters | 765,432 |" in found
    assert "| Files that deploy the row [MiB] | 1.74 |" in found
    assert "| Milliseconds a token, dense | 1.50 |" in found
    assert "| Device | Some CPU, float32 |" in found
    assert f"| model.safetensors | 1,234 | {'ab' * 32} |" in found
    assert "- Code: sparsesum at c1; c2, with changes that are in no commit." in found
    assert "- Weights: made 2026-11-12." in found
    assert "With torch==2.13.0, transformers==5.23.0, peft==0.21.2:" in found


def test_the_limits_have_the_measured_share_the_positions_and_the_note():
    text = model_card.markdown(CARD)
    assert "25.0 % (validation) and 12.5 % (test) are not in the text" in text
    assert "2,048 positions: a prompt may have 1,952 tokens, with 96 for the summary" in text
    assert "- Preset paper: A note.\n" in text and "first 256 tokens" in text


def test_a_figure_that_nothing_was_measured_for_is_none():
    card = CARD._replace(scores={"validation": summary(0.3, None), "test": summary(0.4, None)})
    assert "| Unsupported facts | none | none |" in lines(card)
    assert "none has a fact" in model_card.markdown(card)


def test_stages_stand_in_the_order_in_which_one_is_made_from_another():
    found = [line for line in lines(CARD) if line[:1].isdigit()]
    assert found == [
        "1. `dense`: source mine (2026-11-10)",
        "2. `calibration`: sequences 32 (2026-11-11)",
        "3. `prune`: pruner wanda, pattern 2of4 (2026-11-12)",
        "4. `qlora`: rank 4, seed 43, loss summary (2026-11-12)",
    ]


@pytest.mark.parametrize(
    ("finetuning", "words"),
    [
        ("base", "pruned by wanda (2:4), not fine-tuned."),
        ("full", "pruned by wanda (2:4), fine-tuned by full on the corpus billsum."),
        (
            "qlora_on_dense",
            "dense, with the adapter of the same model pruned by wanda (2:4), fine-tuned by qlora",
        ),
    ],
)
def test_a_row_in_words(finetuning, words):
    text = model_card.markdown(FLOAT._replace(row=FLOAT.row | {"finetuning": finetuning}))
    assert words in text
    assert ("pruning" in ModelCard(text).data.tags) == (finetuning != "qlora_on_dense")


@pytest.mark.parametrize(
    ("card", "said", "called"),
    [
        (CARD, "multiplied dense, as in the code below", ["dequantize", "PeftModel"]),
        (CARD._replace(adapter=False), "multiplied dense, as in the code below", ["dequantize"]),
        (CARD._replace(costs=COSTS | {"engine": "int8"}), "int8 kernels.", ["PeftModel"]),
        (FLOAT, "", []),
    ],
)
def test_the_code_loads_what_the_scores_are_of(card, said, called):
    text = model_card.markdown(card)
    code = text.split("```python\n")[1].split("```")[0]
    assert [name for name in ("dequantize", "PeftModel") if name in code] == called
    assert said in text and (said or "int8" not in text.split("## Costs")[0])


def test_the_codes_prompt_is_the_configs_to_the_character():
    code = model_card.markdown(CARD).split("```python\n")[1].split("```")[0]
    names = {
        node.targets[0].id: node.value.value
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert names == {"FOLDER": ".", **{key.upper(): value for key, value in PROMPT.items()}}
    assert 'dtype="float32"' in code and "max_length=256" in code


def test_a_packed_row_says_which_file_is_packed():
    packed = "results/sparse_qlora/bills/opt/wanda_2of4/model.safetensors"
    assert packed in model_card.markdown(CARD._replace(packed=packed))
    assert "packed" not in model_card.markdown(CARD)


def test_a_shrunk_row_says_what_it_keeps():
    step = record("shrink", ["dense"], ["shrunk"], step="neurons_50")
    row = CARD.row | {"variant": "layers_75+neurons_50+wanda_2of4@43"}
    card = CARD._replace(weights=WEIGHTS | {"shrink/provenance.json": step}, row=row)
    text = model_card.markdown(card)
    assert "shrunk (layers_75, neurons_50), pruned by wanda (2:4), fine-tuned by qlora" in text
    assert "- compression\n" in text and "- compression\n" not in model_card.markdown(CARD)
