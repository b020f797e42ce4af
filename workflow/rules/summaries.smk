"""
Summaries of texts of one's own, by any rows: keys `bill` and `rows`, on the command line. No other
target asks for them.

  in   the files that deploy each row, and the text
  out  results/summaries/CORPUS/MODEL/VARIANT/FINETUNING/NAME.json
         id, prompt_tokens, tokens, cut_off, prediction, read (a share), seconds, and the protocol
       results/summaries/NAME.html, .md, .txt    all rows asked for, one under another

NAME is the text's file without folder and ending.
"""

from sparsesum.corpus import own_text
from sparsesum.experiment import patterns

FINETUNINGS = [
    *(grid.BASE, *(method for method in METHODS if method in config)),
    *(f"{method}_on_dense" for method in METHODS if method in config and adapts(method)),
]


def check_row(path):
    """Refuse what is no row, as far as its path tells."""
    parts = re.fullmatch(
        rf"(?:{any_of(config['models'])})/((?:dense|{SHRUNK}|{PRUNED})(?:{any_of(SEEDS)}))"
        rf"/(?:{any_of(FINETUNINGS)})",
        path,
    )
    if not parts:
        raise InputError(
            f"key 'rows': no row '{path}'; allowed: MODEL/VARIANT/FINETUNING, such as "
            f"{GRID_PATHS[0]} and {GRID_PATHS[-1]}; MODEL: {', '.join(config['models'])}; VARIANT: "
            f"dense, a pruner ({', '.join(grid.pruners())}) with a pattern, as wanda_2of4 or "
            f"wanda_50, a kind of shrinking ({', '.join(shrinks.kinds())}) with an amount, as "
            f"layers_75, or both joined by +; FINETUNING: {', '.join(FINETUNINGS)}"
        )
    for step in steps(parts[1]):
        name, _, amount = step.rpartition("_")
        try:
            patterns.named(amount) if name in grid.pruners() else shrinks.named(step)
        except InputError as error:
            raise InputError(f"key 'rows': {path}: {error}")


GRID_PATHS = of_rows("{model}/{variant}/{finetuning}")

try:
    BILLS = own_text.named(own_text.listed(config["bill"]))
    SUMMARISED = own_text.listed(config["rows"]) or GRID_PATHS
    for each in SUMMARISED:
        check_row(each)
    if workflow.is_main_process:
        for each in BILLS.values():
            own_text.read(each)
except InputError as error:
    raise WorkflowError(str(error))

# One of the texts' names; with no text none.
BILL = any_of(BILLS) or "(?!)"


def pages_of_bills(wildcards):
    """The page of each text."""
    if not BILLS:
        raise WorkflowError(
            "key 'bill': null, so that there is nothing to summarise; allowed: a text file, or "
            "several with commas between them: --config bill=my_bill.txt"
        )
    return [f"results/summaries/{bill}.html" for bill in BILLS]


# The target: a rule with a wildcard, as the page's, is none.
rule summaries:
    input:
        pages_of_bills,
    localrule: True


rule summarise:
    input:
        unpack(deployed),
        bill=lambda wildcards: BILLS[wildcards.bill],
    output:
        f"results/summaries/{ROW}/{{bill}}.json",
        provenance=f"results/summaries/{ROW}/{{bill}}.provenance.json",
    wildcard_constraints:
        bill=BILL,
    # Its time is shown.
    threads: alone("generate")
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 4),
    params:
        code=code("summarise.py"),
        settings=config["generate"],
        prompt=config["prompt"],
        text=config["tokens"]["text"],
        device=config["device"],
        threads=config["threads"]["generate"],
    message:
        "Summary of {wildcards.bill} by {wildcards.model}, {wildcards.variant}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/summarise.py"


rule summaries_page:
    input:
        bill=lambda wildcards: BILLS[wildcards.bill],
        summaries=[f"results/summaries/{CORPUS}/{row}/{{bill}}.json" for row in SUMMARISED],
    output:
        page="results/summaries/{bill}.html",
        markdown="results/summaries/{bill}.md",
        terminal="results/summaries/{bill}.txt",
        provenance="results/summaries/{bill}.provenance.json",
    wildcard_constraints:
        bill=BILL,
    localrule: True
    params:
        code=code("summaries.py"),
        rows=SUMMARISED,
        text=config["tokens"]["text"],
        preset=config["preset"],
        note=config["note"],
    message:
        "The summaries of {wildcards.bill}"
    script:
        "../scripts/summaries.py"
