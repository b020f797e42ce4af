"""Zeros of a checkpoint's file, tensor by tensor."""

import subprocess
import sys

import numpy
from safetensors.numpy import save_file

from sparsesum.models import linears, sizes
from sparsesum.pruning import sparsity


def test_known_zeros_of_each_kind_of_tensor(tmp_path):
    weights = numpy.ones((4, 5), numpy.float32)
    weights[0, :3] = [0.0, -0.0, 1e-38]
    fine = {
        "model.decoder.layers.10.fc1.weight": weights,
        "model.decoder.layers.2.self_attn.out_proj.weight": weights.astype(numpy.float16),
        "model.decoder.layers.2.self_attn.q_proj.weight": numpy.array([[0, 3], [0, 0]], numpy.int8),
        "model.decoder.layers.2.self_attn.q_proj.SCB": numpy.zeros(2, numpy.float32),
        "model.decoder.layers.2.self_attn.q_proj.weight_format": numpy.zeros(1, numpy.int8),
        "model.decoder.layers.2.fc2.bias": numpy.zeros(7, numpy.float32),
        "model.decoder.embed_tokens.weight": weights,
    }
    save_file(fine, tmp_path / "model.safetensors")
    lines = [tuple(line.values()) for line in sparsity.count(tmp_path / "model.safetensors")]
    assert lines == [
        ("model.decoder.embed_tokens.weight", "", "", 2, 20),
        ("model.decoder.layers.2.fc2.bias", "", "", 7, 7),
        # As float16, 1e-38 is zero.
        ("model.decoder.layers.2.self_attn.out_proj.weight", "2", "self_attn.out_proj", 3, 20),
        ("model.decoder.layers.2.self_attn.q_proj.weight", "2", "self_attn.q_proj", 3, 4),
        ("model.decoder.layers.10.fc1.weight", "10", "fc1", 2, 20),
    ]


def test_as_many_weights_as_measure_counts(opt_folders):
    for folder in opt_folders.values():
        file = folder / "model.safetensors"
        lines = list(sparsity.count(file))
        whole = sum(line["weights"] for line in lines)
        assert whole == sizes.parameters([file])
        assert whole - sum(line["zeros"] for line in lines) == sizes.nonzero_parameters([file])
        found = {line["tensor"] for line in lines if line["linear"]}
        assert found == set(linears.weights(line["tensor"] for line in lines))
        assert len(found) == 2 * 6


def test_it_starts_without_torch():
    code = "import sys; from sparsesum.pruning import sparsity; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
