"""What each row costs: parameters, bytes, seconds, memory; for people, from the results grid."""

import pandas

COLUMNS = {
    "model": ("Model", "{}"),
    "finetuning": ("Fine-tuning", "{}"),
    "pruner": ("Pruning", "{}"),
    "sparsity": ("Sparsity", "{}"),
    "parameters": ("Parameters", "{:,.0f}"),
    "nonzero_parameters": ("Nonzero", "{:,.0f}"),
    "size_mb": ("Size [MiB]", "{:.2f}"),
    "inference_seconds": ("Inference [s]", "{:.2f}"),
    "ms_per_token_dense": ("ms/token, dense", "{:.2f}"),
    "ms_per_token_int8": ("ms/token, int8", "{:.2f}"),
    "ms_per_token_transformers": ("ms/token, transformers", "{:.2f}"),
    "peak_memory_mb": ("Peak memory [MiB]", "{:,.0f}"),
    "training_seconds": ("Training [s]", "{:.1f}"),
    "training_peak_memory_mb": ("Training peak [MiB]", "{:,.0f}"),
}
"""Columns of results/table3.csv: their heads and how a cell is printed."""


def markdown(table: pandas.DataFrame, note: str) -> str:
    """The costs of all rows as a table to read; a cell that has no value is blank."""
    printed = pandas.DataFrame(
        {
            head: table[column].map(form.format, na_action="ignore").fillna("")
            for column, (head, form) in COLUMNS.items()
        }
    )
    first = table.iloc[0]
    devices = " / ".join(sorted(set(table["device"])))
    sizes = " and ".join(map(str, sorted(set(table["batch_size"]))))
    return (
        f"# Costs, preset {first['preset']}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        f"Measured while nothing else of the DAG ran: {devices}, {first['dtype']}. Parameters and "
        "nonzero ones are counted in\nthe artifact, size is the bytes of the files needed to "
        "deploy the row, tokenizer included. Inference is the\ntime to generate for both splits "
        f"at batch size {sizes}; milliseconds a token are at batch size 1, the "
        "prompt's time taken off.\nThe int8 engine multiplies 8-bit weights as they are, the "
        "dense one dequantises them once.\n"
    )
