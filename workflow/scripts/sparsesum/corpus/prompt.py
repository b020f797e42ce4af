"""The prompt that a bill is put in, and the prediction in what a model writes after it."""

from typing import NamedTuple


class Prompt(NamedTuple):
    """What stands before a bill, what between bill and summary, and what ends a summary."""

    before: str
    after: str
    stop: str


PAPER = Prompt(
    before=(
        "\nBelow is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruct: Summarize the text below.\n\n"
    ),
    after="\n\n### Output:\n",
    stop="### End",
)
"""The paper's, with its parts joined by a blank line: the default of the key `prompt`.

Source: "Pruning OPT for Summarization", section 3, and its authors' notebooks.
"""


def inference_prompt(text: str, prompt: Prompt = PAPER) -> str:
    """What the model reads before it writes a summary of `text`."""
    return f"{prompt.before}{text}{prompt.after}"


def training_text(text: str, summary: str, prompt: Prompt = PAPER) -> str:
    """The prompt with its summary and, after a blank line, the closing marker: trained on."""
    return f"{inference_prompt(text, prompt)}{summary}\n\n{prompt.stop}"


def source_text(asked: str, prompt: Prompt = PAPER) -> str:
    """The bill in an inference prompt: truncated, as the model read it."""
    return asked.removeprefix(prompt.before).removesuffix(prompt.after)


def prediction(generated: str, prompt: Prompt = PAPER) -> str:
    """The summary in a generated continuation: all before the closing marker, stripped."""
    return generated.split(prompt.stop, 1)[0].strip()
