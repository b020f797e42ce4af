"""What every rule must say, looked up in their text."""

import re
from pathlib import Path

RULES = Path(__file__).resolve().parents[2] / "workflow" / "rules"


def rules() -> dict[str, str]:
    """The text of each rule, by its name."""
    found = {}
    for file in RULES.glob("*.smk"):
        for text in re.split(r"(?m)^ *rule ?", file.read_text())[1:]:
            # One without a name is made in a loop, for each way of fine-tuning or each plot.
            found[text.partition(":")[0] or file.stem] = text
    assert len(found) > 20
    return found


def test_who_uses_the_gpu_says_how_much_of_its_memory():
    """A job that does not would start beside one that takes the whole card."""
    using = {name for name, text in rules().items() if "gpu=gpus" in text}
    assert using >= {"prune", "finetune", "generate", "measure", "examples", "cheats"}
    assert using == {name for name, text in rules().items() if "gpu_mb=" in text}


def test_an_encoder_in_a_folder_is_an_input():
    """Other weights under the same name would score nothing again."""
    using = {name for name, text in rules().items() if 'encoder=located(config["score"]' in text}
    assert using == {"examples", "cheats"}
    assert using == {name for name, text in rules().items() if "encoder=encoder_files" in text}
