"""sbatch's options for a GPU: those of the profile are those that the plugin sends."""

from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_slurm.utils import set_gres_string

from sparsesum.base.errors import InputError
from sparsesum.jobs import gpu_request


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--gpus=1", {}),
        ("--gpus=a100:1", {"gpu_model": "a100"}),
        ("--gpus=1g.10gb:1", {"gpu_model": "1g.10gb"}),
        ("--gres=gpu:1", {"gres": "gpu:1"}),
        ("--gres=gpu:a100:1", {"gres": "gpu:a100:1"}),
        ("--gpus=1 --constraint=a100|h100", {"constraint": "a100|h100"}),
        (
            "--gres=gpu:1  '--constraint=[rack1*2&rack2*4]'",
            {"gres": "gpu:1", "constraint": "[rack1*2&rack2*4]"},
        ),
    ],
)
def test_one_gpu_is_asked_for_in_one_way(options, expected):
    found = gpu_request.resources(options, "key")
    assert found == expected
    # As the rules have it.
    job = {"gpu": 0 if "gres" in found else 1} | found
    assert set_gres_string(SimpleNamespace(resources=_Resources(job))).split() == [
        word for word in options.split() if "constraint" not in word
    ]


class _Resources(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    "options",
    [
        *("", "gres", "1", "a100:1", "--gpus 1", "-G 1", "--gres", "--gres=gpu", "--gpus='1"),
        *("--gpus=2", "--gres=gpu:2", "--gpus=0", "--gpus-per-node=1", "--gres=shard:1"),
        *("--gpus=1 --gres=gpu:1", "--gpus=a b:1", "--gpus=a;b:1", "--gpus=é:1"),
        *("--constraint=a100", "--gpus=1 --constraint=a --constraint=b", "--gpus=1 --mem=1"),
        *("--gpus=1 --constraint=", "--gpus=1 --constraint=a;b", "--constraint=a --gpus=1"),
        "--gpus=1 ; rm -rf .",
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(options):
    with pytest.raises(InputError, match=r"^key: .* is no request for a GPU; allowed: --gpus=1, "):
        gpu_request.resources(options, "key")
