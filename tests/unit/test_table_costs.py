"""The table of costs, from known figures."""

import pandas

from sparsesum.pages import table_costs


def test_cells_are_printed_and_blank_where_nothing_was_measured():
    row = {name: 1234.5 + i for i, name in enumerate(table_costs.COLUMNS, start=-4)} | {
        "model": "m", "finetuning": "base", "pruner": "none", "sparsity": "none",
    }  # fmt: skip
    more = {"device": "CPU", "dtype": "float32", "batch_size": 7, "preset": "p"}
    table = pandas.DataFrame([row | more, row | more | {"batch_size": 9}])
    table.loc[0, "training_seconds"] = None
    text = table_costs.markdown(table, "A note.")
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| m")]
    cells = [[cell.strip() for cell in line[1:-1]] for line in lines]
    assert cells[0][:7] == ["m", "base", "none", "none", "1,234", "1,236", "1236.50"]
    assert cells[0][7:12] == ["1237.50", "1238.50", "1239.50", "1240.50", "1,242"]
    assert (cells[0][12], cells[1][12], cells[1][13]) == ("", "1242.5", "1,244")
    assert "preset p" in text and "batch size 7 and 9;" in text and "CPU, float32" in text
