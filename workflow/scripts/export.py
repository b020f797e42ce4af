"""A row as a folder for the Hub: its model, as transformers and peft load it, and a model card."""

from runner import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum.base import files
    from sparsesum.models import export
    from sparsesum.pages import lineage, model_card

    given, settings = snakemake.input, snakemake.params
    checkpoint = Path(given.model[0]).parent
    adapter = given.get("adapter")
    weights = [*given.model, *(adapter or [])]
    with files.whole(Path(snakemake.output[0]).parent) as draft:
        draft.mkdir()
        packed = export.write(
            checkpoint,
            Path(adapter[0]).parent if adapter else None,
            Path(given.tokenizer),
            draft,
            settings.max_new_tokens,
            settings.prompt["stop"],
        )
        written = {
            path.relative_to(draft).as_posix(): path
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        }
        card = model_card.Card(
            row=dict(snakemake.wildcards.items()),
            scores=files.read_json(given.scores),
            costs=files.read_json(given.costs),
            weights=lineage.gathered(weights, {})["jobs"],
            records=lineage.gathered([*weights, given.scores, given.costs], {}),
            model=settings.model,
            corpus=settings.corpus,
            prompt=settings.prompt,
            text=settings.text,
            max_new_tokens=settings.max_new_tokens,
            config=files.read_json(given.model[1]),
            adapter=bool(adapter),
            packed=given.model[0] if packed else None,
            sizes={name: path.stat().st_size for name, path in written.items()},
            hashes={name: files.sha256(path) for name, path in written.items()},
            preset=settings.preset,
            note=settings.note,
        )
        (draft / "README.md").write_text(model_card.markdown(card), encoding="utf-8")


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
