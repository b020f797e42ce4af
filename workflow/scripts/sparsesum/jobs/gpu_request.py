"""How jobs ask SLURM for a GPU: sbatch's own options, as the resources of Snakemake's plugin.

The plugin (snakemake-executor-plugin-slurm 2.8) sends `--gpus` for the resources gpu and gpu_model,
`--gres` for gres, and both where a job has both; `-C` for constraint.
"""

import re
import shlex

from sparsesum.base.errors import InputError

ALLOWED = (
    "--gpus=1, --gpus=TYPE:1, --gres=gpu:1 or --gres=gpu:TYPE:1, and after it, if need be, "
    "--constraint=FEATURES"
)
GPU = re.compile(
    r"--(?:gpus=(?:(?P<model>[a-zA-Z0-9_.]+):)?1|gres=(?P<gres>gpu(?::[a-zA-Z0-9_.]+)?:1))"
)
CONSTRAINT = re.compile(r"--constraint=(?P<constraint>[\w.,|&*()\[\]-]+)", re.ASCII)


def resources(options: str, key: str) -> dict[str, str]:
    """What a job with a GPU has beside gpu: gpu_model, gres or neither, and maybe a constraint.

    An InputError, under the name `key`, for anything but `ALLOWED`: one GPU, and one way to ask.

    >>> resources("--gres=gpu:a100:1 --constraint=nvlink", "slurm_gpu")
    {'gres': 'gpu:a100:1', 'constraint': 'nvlink'}
    """
    try:
        gpu, *more = shlex.split(options)
    except ValueError:  # a quote without its other, or nothing
        gpu, more = "", []
    matches = [GPU.fullmatch(gpu), *map(CONSTRAINT.fullmatch, more)]
    if not all(matches) or len(more) > 1:
        raise InputError(f"{key}: {options!r} is no request for a GPU; allowed: {ALLOWED}")
    groups = [item for match in matches if match for item in match.groupdict().items()]
    found = {name: value for name, value in groups if value}
    return {"gpu_model" if name == "model" else name: value for name, value in found.items()}
