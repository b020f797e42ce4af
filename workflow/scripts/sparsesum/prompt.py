"""The paper's prompt, and the prediction taken out of what a model writes after it.

Source: "Pruning OPT for Summarization", section 3, and its authors' notebooks: parts are joined by
a blank line, the summary stands between "### Output:" and "### End".
"""

BEFORE = (
    "\nBelow is an instruction that describes a task. Write a response that appropriately "
    "completes the request.\n\n### Instruct: Summarize the text below.\n\n"
)
AFTER = "\n\n### Output:\n"
STOP = "### End"
END = f"\n\n{STOP}"


def inference_prompt(text: str) -> str:
    """What the model reads before it writes a summary of `text`."""
    return f"{BEFORE}{text}{AFTER}"


def training_text(text: str, summary: str) -> str:
    """The prompt with its summary and the closing marker, as the model is trained on it."""
    return f"{inference_prompt(text)}{summary}{END}"


def prediction(generated: str) -> str:
    """The summary in a generated continuation: all before "### End", without outer blanks."""
    return generated.split(STOP, 1)[0].strip()
