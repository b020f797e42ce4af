"""What every rule must say, looked up in their text."""

import re
from pathlib import Path

RULES = Path(__file__).resolve().parents[2] / "workflow" / "rules"


def test_who_uses_the_gpu_says_how_much_of_its_memory():
    """A job that does not would start beside one that takes the whole card."""
    rules = {}
    for file in RULES.glob("*.smk"):
        for text in re.split(r"(?m)^rule ", file.read_text())[1:]:
            rules[text.partition(":")[0]] = text
    assert len(rules) > 20
    using = {name for name, text in rules.items() if "gpu=gpus" in text}
    assert using >= {"prune", "full", "qlora", "generate", "measure", "examples", "cheats"}
    assert using == {name for name, text in rules.items() if "gpu_mb=" in text}
