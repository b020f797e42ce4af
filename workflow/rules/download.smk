"""
What the active configuration needs of the Hugging Face Hub, for a machine that has a network.

  in   each source that is a Hub id: the grid's models, the corpus, BERTScore's encoder, and the
       calibration set's texts where they are not the corpus's own
  out  the files in the Hub's cache, and results/fetch/KIND/NAME.json, which lists them

`snakemake --cores 1 download` fetches all of it and does nothing else. Jobs that read a source take
its manifest as input and never ask the Hub.
"""


rule download:
    input:
        # There already: where no source is on the Hub, Snakemake says that nothing is to be done.
        located(config["grid"]),
        sorted({path for row in ROWS for path in manifest("model", row.model)}),
        manifest("corpus", CORPUS),
        manifest("encoder", ENCODER),
        manifest("text", TEXT) if config["calibration"]["text"] else [],
    localrule: True


rule fetch:
    output:
        "results/fetch/{kind}/{name}.json",
        provenance="results/fetch/{kind}/{name}.provenance.json",
    wildcard_constraints:
        kind="model|corpus|encoder|text",
        name=any_of({*config["models"], *config["corpora"], ENCODER, TEXT} - {""}),
    localrule: True
    params:
        code=code("fetch.py"),
        origin=lambda wildcards: origin(wildcards.kind, wildcards.name),
    message:
        "Fetching {params.origin[source]} from the Hugging Face Hub"
    script:
        "../scripts/fetch.py"
