"""The table of costs, from known figures."""

import pandas

from sparsesum import costs_table


def test_cells_are_printed_and_blank_where_nothing_was_measured():
    row = dict.fromkeys(costs_table.COLUMNS, 1234.5) | {
        "model": "m", "finetuning": "base", "pruner": "none", "sparsity": "none",
    }  # fmt: skip
    more = {"device": "CPU", "dtype": "float32", "batch_size": 7, "preset": "p"}
    table = pandas.DataFrame([row | more, row | more])
    table.loc[0, "training_seconds"] = None
    text = costs_table.markdown(table, "A note.")
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| m")]
    cells = [[cell.strip() for cell in line[1:-1]] for line in lines]
    assert cells[0][:7] == ["m", "base", "none", "none", "1,234", "1,234", "1234.50"]
    assert (cells[0][11], cells[1][11]) == ("", "1234.5")
    assert "preset p" in text and "batch size 7" in text and "CPU, float32" in text
