"""
The page to read outputs on: one HTML file that needs no other file and no network.

  in   the bills; each row's generations, scores and grounding
  out  results/browse.html
"""


rule browse:
    input:
        bills=[f"results/corpus/{CORPUS}/{split}.jsonl" for split in SPLITS],
        validation=of_rows(f"results/generate/{ROW}/validation.jsonl"),
        test=of_rows(f"results/generate/{ROW}/test.jsonl"),
        examples=of_rows(f"results/examples/{ROW}.csv"),
        grounding=of_rows(f"results/grounding/{ROW}.csv"),
        marks=of_rows(f"results/grounding/{ROW}.jsonl"),
    output:
        page=page("browse", "2. Reading the outputs", "all rows side by side"),
        provenance="results/browse.provenance.json",
    localrule: True
    params:
        code=code(
            "browse.py", *(f"sparsesum/pages/browse.{kind}" for kind in ("html", "css", "js"))
        ),
        rows=cells(ROWS),
        preset=config["preset"],
        note=config["note"],
    message:
        "The page to read the outputs of {params.preset} on"
    script:
        "../scripts/browse.py"
