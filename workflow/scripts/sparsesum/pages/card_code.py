"""The code of a model card that loads a row's model and summarises with it."""

import json
from collections.abc import Mapping
from typing import Any

FOLDER = 'FOLDER = "."  # this folder, or its name on the Hub'

USE = """
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype="{dtype}")
{more}

def summarise(text):
    ids = tokenizer(text, add_special_tokens=False, truncation=True, max_length={text})
    prompt = BEFORE + tokenizer.decode(ids["input_ids"]) + AFTER
    asked = tokenizer(prompt, return_tensors="pt").to(model.device)
    written = model.generate(**asked, tokenizer=tokenizer)[0, asked["input_ids"].shape[1] :]
    return tokenizer.decode(written, skip_special_tokens=True).split(STOP)[0].strip()


with open("text.txt", encoding="utf-8") as file:
    print(summarise(file.read()))
"""


def code(prompt: Mapping[str, str], text: int, dtype: str, dequantised: bool, adapter: bool) -> str:
    """Python that summarises text.txt as the row's summaries were made, a text at a time.

    text: to so many tokens a text is cut; dequantised: 8-bit weights are made dense; adapter:
    whether there is one, in adapter/.
    """
    imports = ["from transformers import AutoModelForCausalLM, AutoTokenizer"]
    more = []
    if dequantised:
        more.append("model = model.dequantize()  # the engine of the scores: 8-bit values, dense")
    if adapter:
        imports.insert(0, "from peft import PeftModel")
        more.append('model = PeftModel.from_pretrained(model, FOLDER, subfolder="adapter")')
    # JSON's texts are Python's.
    names = [f"{key.upper()} = {json.dumps(prompt[key])}" for key in ("before", "after", "stop")]
    parts = [*imports, "", FOLDER, *names]
    lines: dict[str, Any] = {"dtype": dtype, "text": text, "more": "\n".join([*more, ""])}
    return "\n".join(parts) + "\n" + USE.format(**lines)
