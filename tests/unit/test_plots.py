"""The plots of the grid: what is drawn is what their CSVs say, each row is named and legible."""

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy
import pandas
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.text import Text

from sparsesum.experiment import grid, published_table
from sparsesum.pages import figures, heat_map, published, quality, sparsity_layers, training_curves

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"opt-125m-mini": "opt-125m", "opt-350m-mini": "opt-350m"}
ROWS = grid.read(ROOT / "config" / "grid.tsv", list(MODELS))
TOLD = {
    "test_rouge": ".398 .984 .863 .860 .818 .821 .827 .842 .367 .817 .506 .522 .487 .550",
    "validation_rouge": ".323 .207 .160 .198 .195 .197 .222 .194 .022 .142 .147 .150 .126 .166",
    "test_bertscore": ".738 .988 .912 .913 .886 .893 .893 .901 .661 .878 .670 .659 .639 .669",
    "inference_seconds": "2.66 2.79 3.44 2.69 3.30 3.40 3.12 3.43 3.85 4.19 4.57 4.79 4.11 4.14",
    "size_mb": "3.84 3.84 2.12 2.12 2.12 2.12 2.12 2.12 5.17 5.17 2.58 2.58 2.58 2.58",
}
"""An embedded table, of an AMD EPYC."""
NAMES = [
    "base", "full", "QLoRA", "QLoRA, Wanda 50%", "QLoRA, Wanda 4:8", "QLoRA, Wanda 2:4",
    "QLoRA, magnitude 2:4", "QLoRA, SparseGPT 2:4",
]  # fmt: skip


def cells(row: grid.Row) -> list[str]:
    return [row.model, row.finetuning, row.pruner, row.sparsity]


@pytest.fixture
def table() -> pandas.DataFrame:
    frame = pandas.DataFrame([cells(row) for row in ROWS], columns=quality.ROW)
    for name, told in TOLD.items():
        frame[name] = [float(value) for value in told.split()]
        if name.endswith("rouge"):
            frame[f"{name}_low"], frame[f"{name}_high"] = frame[name] - 0.04, frame[name] + 0.03
    nonzero = {"qlora": 1_113_349, "base": 990_208, "full": 990_208}
    frame["nonzero_parameters"] = frame["finetuning"].map(nonzero)
    frame["test_blank_share"] = 0.0
    # A prediction without facts has no unsupported ones.
    frame["test_unsupported"] = [numpy.nan, 0.25] + [0.5] * 12
    return frame


@pytest.fixture
def curves() -> pandas.DataFrame:
    rows = [cells(row) for row in ROWS if row.finetuning != "base"]
    steps = numpy.arange(10, 130, 10)
    falling = [
        pandas.DataFrame({"step": steps, "loss": (3 + number / 50) * 0.98**steps})
        for number in range(len(rows))
    ]
    return training_curves.joined(rows, falling)


def tensors(share: float, layers: int = 2) -> pandas.DataFrame:
    """A table of rule `sparsity`: layers of 100 weights a Linear, embeddings of 300, a norm."""
    linears = [
        {"tensor": "", "layer": layer, "linear": name, "zeros": int(100 * share), "weights": 100}
        for layer in range(layers)
        for name in sorted(sparsity_layers.LINEARS)
    ]
    others = [
        {"tensor": f"model.decoder.{name}.weight", "zeros": zeros, "weights": 150}
        for name, zeros in (("embed_tokens", 0), ("embed_positions", 3), ("final_layer_norm", 15))
    ]
    return pandas.DataFrame([*others, *linears])


@pytest.fixture
def zeros() -> pandas.DataFrame:
    made = [grid.Row("small", "base", "none", "none"), grid.Row("small", "base", "wanda", "2:4")]
    made += [grid.Row("small", "qlora", "wanda", "2:4"), grid.Row("large", "full", "wanda", "50%")]
    counts = [tensors(0), tensors(0.5), tensors(0.51), tensors(0.5, layers=24)]
    counts[2].loc[counts[2]["linear"] == "fc2", "zeros"] = 77
    return sparsity_layers.shares([cells(row) for row in made], counts)


@pytest.fixture
def compared(table) -> pandas.DataFrame:
    lines = published_table.read(ROOT / "resources" / "paper" / "table3.csv")
    return published.beside(table, published_table.counterparts(lines, ROWS, MODELS))


@pytest.fixture
def pictures(table, curves, zeros, compared) -> dict:
    """Of each plot the function that draws it to a path."""
    drawn = {
        "quality_size": (quality.draw, quality.points(table, "size_mb"), "size_mb"),
        "quality_time": (
            *(quality.draw, quality.points(table, "inference_seconds")),
            "inference_seconds",
        ),
        "heat_map": (heat_map.draw, heat_map.cells(table)),
        "training_curves": (training_curves.draw, curves),
        "sparsity_layers": (sparsity_layers.draw, zeros),
        "published": (published.draw, compared),
    }
    return {
        name: lambda path, draw=draw, given=given: draw(*given, "embedded", path)
        for name, (draw, *given) in drawn.items()
    }


PLOTS = "quality_size quality_time heat_map training_curves sparsity_layers published".split()


def figure_of(draw, monkeypatch) -> plt.Figure:
    """The figure that would be saved."""
    kept = []
    for module in (quality, heat_map, training_curves, sparsity_layers, published):
        monkeypatch.setattr(module, "save", lambda figure, path: kept.append(figure))
    draw(Path("nowhere"))
    (figure,) = kept
    plt.close(figure)
    return figure


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_bytes_twice_and_a_name_for_each_row(pictures, tmp_path, name):
    for run in ("a", "b"):
        pictures[name](tmp_path / run)
    text = (tmp_path / "a").read_text()
    assert text == (tmp_path / "b").read_text()
    assert ", preset embedded<" in text
    if name == "sparsity_layers":
        wanted = ["dense", "Wanda 2:4, as pruned", "Wanda 2:4, QLoRA's int8 base"]
        wanted += ["Wanda 50%, fine-tuned", "small", "large"]
        wanted = [f">{told}<" for told in wanted]
    elif name in ("heat_map", "published"):
        of_models = {"opt-125m-mini": NAMES, "opt-350m-mini": [*NAMES[:3], *NAMES[5:]]}
        wanted = [f">{model}: {told}<" for model, names in of_models.items() for told in names]
        assert len(wanted) == len(ROWS)
    else:
        named = NAMES if name != "training_curves" else NAMES[1:]
        wanted = [f">{told}<" for told in [*named, *MODELS]]
        assert text.count(">QLoRA, SparseGPT 2:4<") == 2
    assert [told for told in wanted if told not in text] == []


def overlapping(figure: plt.Figure) -> list[tuple[str, str]]:
    """Texts of a figure that lie one on the other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    beyond = [
        tick.label1
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    boxes = [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond
    ]
    assert len(boxes) > 20
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5
    ]


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_lies_on_another(pictures, monkeypatch, name):
    assert overlapping(figure_of(pictures[name], monkeypatch)) == []


def test_all_columns_of_a_heat_map_have_room(table, monkeypatch):
    for metrics in heat_map.PANELS.values():
        for number, metric in enumerate(metrics):
            table[metric] = 10.0 ** (number - 2) * table["size_mb"]
    lines = heat_map.cells(table)
    assert lines["metric"].nunique() == 2 * 8 + 4
    figure = figure_of(lambda path: heat_map.draw(lines, "embedded", path), monkeypatch)
    assert overlapping(figure) == []


def marks(figure: plt.Figure, axis: int, which: str) -> list[float]:
    """One coordinate of all single marks that a panel has in its data's coordinates."""
    panel = figure.axes[axis]
    lines = [line for line in panel.lines if line.get_transform() == panel.transData]
    return [getattr(line, f"get_{which}data")()[0] for line in lines if len(line.get_xdata()) == 1]


def test_quality_is_drawn_as_its_data_say(table, pictures, monkeypatch):
    lines = quality.points(table, "size_mb")
    figure = figure_of(pictures["quality_size"], monkeypatch)
    for number, model in enumerate(MODELS):
        own = lines[lines["model"] == model]
        assert marks(figure, number, "y") == own["test_rouge"].tolist()
        # Each QLoRA row beside the next, their mean at their size; the others where they are.
        found = numpy.array(marks(figure, number, "x"))
        assert found[:2].tolist() == own["size_mb"].tolist()[:2]
        assert found[2:].mean() == pytest.approx(own["size_mb"].iloc[2])
        assert len(set(found[2:].round(6))) == len(own) - 2
        drawn = [list(line.get_ydata()) for line in figure.axes[number].lines]
        bars = own[["test_rouge_low", "test_rouge_high"]].to_numpy().tolist()
        assert [bar for bar in bars if bar not in drawn] == []


def test_the_pareto_front_of_the_embedded_table(table):
    lines = quality.points(table, "size_mb")
    assert list(lines) == [
        *quality.ROW, "size_mb", "test_rouge", "test_rouge_low", "test_rouge_high", "front",
    ]  # fmt: skip
    assert lines.index[lines["front"]].tolist() == [1, 2]  # full, QLoRA of the smaller model
    lines = quality.points(table, "inference_seconds")
    assert lines.index[lines["front"]].tolist() == [0, 1, 3]


def test_nondominated_rows_and_ties():
    assert quality.nondominated([1, 2, 3], [0.1, 0.3, 0.2]) == [True, True, False]
    # Of one cost the best alone; of one quality the cheapest alone; equal in both, both.
    assert quality.nondominated([1, 1], [0.1, 0.2]) == [False, True]
    assert quality.nondominated([1, 2], [0.2, 0.2]) == [True, False]
    assert quality.nondominated([1, 1, 2], [0.2, 0.2, 0.1]) == [True, True, False]
    assert quality.nondominated([], []) == []


def test_marks_stand_beside_each_other_where_they_would_overlap():
    # The first three overlap in a chain; the fourth is as large, and far better; the fifth larger.
    costs, lows = [2.0, 2.0, 2.0, 2.0, 3.0], [0.1, 0.15, 0.25, 0.8, 0.1]
    highs = [0.2, 0.3, 0.4, 0.9, 0.2]
    assert quality.beside(costs, lows, highs, 0.1) == pytest.approx([1.9, 2.0, 2.1, 2.0, 3.0])
    assert quality.beside([5.0], [0], [1], 0.1) == [5.0]


def test_spread_heights():
    assert figures.spread([0.1, 0.5, 0.9], 0.2).tolist() == [0.1, 0.5, 0.9]
    assert figures.spread([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])
    assert figures.spread([0.9, 0.1, 0.9], 0.2, top=0.95) == pytest.approx([0.75, 0.1, 0.95])
    assert figures.spread([], 0.2).tolist() == []


def test_a_heat_maps_places(table):
    lines = heat_map.cells(table)
    # Columns that the table has, and no others, in their order.
    assert list(dict.fromkeys(lines["metric"])) == [
        "test_rouge", "test_bertscore", "test_unsupported", "test_blank_share", "validation_rouge",
        "nonzero_parameters", "size_mb", "inference_seconds",
    ]  # fmt: skip
    own = lines[lines["metric"] == "test_rouge"].reset_index(drop=True)
    assert own["value"].tolist() == table["test_rouge"].tolist()
    assert (own["place"].idxmax(), own["place"].idxmin()) == (1, 8)
    assert own["place"][4] == pytest.approx((0.818 - 0.367) / (0.984 - 0.367), abs=1e-4)
    size = lines[lines["metric"] == "size_mb"]["place"].tolist()
    assert (size[2], size[8]) == (1, 0)  # small is good
    assert lines[lines["metric"] == "test_blank_share"]["place"].isna().all()
    unsupported = lines[lines["metric"] == "test_unsupported"]["place"].tolist()
    assert numpy.isnan(unsupported[0]) and unsupported[1:3] == [1, 0]


def test_a_heat_map_is_drawn_as_its_data_say(table, pictures, monkeypatch):
    lines = heat_map.cells(table)
    figure = figure_of(pictures["heat_map"], monkeypatch)
    for axis in figure.axes:
        own = lines[lines["panel"] == axis.get_title(loc="left")]
        drawn = axis.findobj(QuadMesh)[0].get_array().filled(numpy.nan)
        assert numpy.array_equal(drawn.T.ravel(), own["place"].to_numpy(), equal_nan=True)
        told = [text.get_text() for text in axis.texts]
        assert len(told) == len(own)
    assert {"0.398", "1.11", "2.12", ""} <= {t.get_text() for a in figure.axes for t in a.texts}
    assert heat_map.printed(1073.65, "inference_seconds") == "1,074"
    assert heat_map.printed(126_124_032, "nonzero_parameters") == "126"


def test_ink_has_the_contrast_that_wcag_asks_for():
    """Of small text: 4.5."""
    assert (figures.ink_on((1, 1, 1)), figures.ink_on((0, 0, 0))) == ("black", "white")
    for colours in (heat_map.COLOURS, sparsity_layers.COLOURS):
        for share in numpy.linspace(0, 1, 101):
            red, green, blue = (
                c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                for c in colours(share)[:3]
            )
            lit = 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
            black = figures.ink_on(colours(share)) == "black"
            assert (lit / 0.05 if black else 1.05 / lit) >= 4.5


def test_curves_are_drawn_as_their_data_say(curves, pictures, monkeypatch):
    assert list(curves) == [*training_curves.ROW, "step", "loss"] and len(curves) == 12 * 12
    figure = figure_of(pictures["training_curves"], monkeypatch)
    drawn = [line.get_ydata() for axis in figure.axes for line in axis.lines]
    assert numpy.concatenate([ys for ys in drawn if len(ys) == 12]).tolist() == list(curves["loss"])


def test_a_grid_without_trained_rows_has_an_empty_plot(tmp_path):
    nothing = training_curves.joined([], [])
    assert list(nothing) == [*training_curves.ROW, "step", "loss"]
    training_curves.draw(nothing, "embedded", tmp_path / "a.svg")
    assert "preset embedded" in (tmp_path / "a.svg").read_text()


def test_shares_of_zeros(zeros):
    assert list(zeros) == [*sparsity_layers.ROW, "layer", "linear", "zeros", "weights", "share"]
    pruned = zeros[(zeros["finetuning"] == "base") & (zeros["pruner"] == "wanda")]
    assert pruned["linear"].tolist() == [*2 * sparsity_layers.LINEARS, "embeddings", "all"]
    assert pruned["layer"].tolist()[:12] == [0] * 6 + [1] * 6
    shares = pruned["share"].tolist()
    assert shares[:12] == [0.5] * 12
    assert shares[12:] == pytest.approx([3 / 300, (600 + 18) / 1650], abs=1e-6)


def test_shares_are_drawn_as_their_data_say(zeros, pictures, monkeypatch):
    figure = figure_of(pictures["sparsity_layers"], monkeypatch)
    for axis, model in zip(figure.axes, ("small", "large"), strict=True):
        own = zeros[(zeros["model"] == model) & zeros["layer"].notna()]
        drawn = axis.findobj(QuadMesh)[0].get_array()
        assert drawn.ravel().tolist() == own["share"].tolist()
    told = {text.get_text() for text in figure.axes[0].texts}
    # Least and greatest Linear, and a layer's share: (5 x 51 + 77) / 600.
    assert {"51.0\N{EN DASH}77.0 %", "55.3", "0.0 %", "1.0 %", "37.5 %"} <= told


def test_published_figures_beside_ours(compared, pictures, monkeypatch):
    assert len(compared) == 28
    line = compared.iloc[10]
    assert line[published.ROW].tolist() == cells(ROWS[5])
    assert (line["split"], line["rouge"], line["rouge_low"]) == ("test", 0.821, 0.821 - 0.04)
    assert (line["published_model"], line["published"]) == ("opt-125m", 0.1384)
    figure = figure_of(pictures["published"], monkeypatch)
    for number, split in enumerate(("test", "validation")):
        own = compared[compared["split"] == split]
        drawn = marks(figure, number, "x")
        assert drawn[::2] == own["rouge"].tolist() and drawn[1::2] == own["published"].tolist()


def test_the_picture_says_where_the_models_are_others(compared, tmp_path):
    assert "opt-125m-mini for opt-125m, opt-350m-mini for opt-350m" in " ".join(
        published.how_to_read(compared)
    )
    published.draw(compared, "embedded", tmp_path / "a.svg")
    assert "Not the published models, and other bills" in (tmp_path / "a.svg").read_text()
    same = compared.assign(model=compared["published_model"])
    (marks,) = published.how_to_read(same)
    assert "published" in marks and "other" not in marks


def test_a_row_looks_the_same_in_each_picture(table):
    trained = table[table["finetuning"] != "base"].reset_index(drop=True)
    assert figures.looks(table)[1] == figures.looks(trained)[0]
    assert len(set(figures.looks(table))) == 6
