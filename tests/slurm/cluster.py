"""A true SLURM of one node on this machine, and the project on it."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.workflow.project import Project

HERE = Path(__file__).parent
GRID = """\
model\tfinetuning\tpruner\tsparsity
tiny-pre\tbase\tnone\tnone
tiny-pre\tfull\tnone\tnone
tiny-post\tqlora\twanda\t2:4
"""


class Cluster:
    """SLURM, from `start` to `stop`; what it needs is installed if it is not there."""

    def __init__(self, accounting: bool) -> None:
        self.accounting = accounting
        # Not pytest's folder, which the database's user may not enter.
        self.folder = Path(tempfile.mkdtemp(prefix="sparsesum-slurm-"))
        self.folder.chmod(0o755)

    def start(self) -> None:
        arguments = [self.folder, *(["accounting"] if self.accounting else [])]
        up = subprocess.run([HERE / "up.sh", *arguments], capture_output=True, text=True)
        assert up.returncode == 0, f"SLURM cannot be started:\n{up.stdout}{up.stderr}"

    def stop(self) -> None:
        down = subprocess.run([HERE / "down.sh", self.folder], capture_output=True, text=True)
        assert down.returncode == 0, down.stdout + down.stderr
        shutil.rmtree(self.folder)


def command(*words: str | int) -> str:
    return subprocess.run(
        [str(word) for word in words], check=True, capture_output=True, text=True
    ).stdout


def jobs(folder: Path) -> dict[int, dict[str, str]]:
    """SLURM's jobs of a folder, running or not, by their number: what scontrol says of each."""
    found = {}
    for entry in command("scontrol", "show", "job", "--oneliner").splitlines():
        fields = dict(re.findall(r"([\w/:]+)=(\S*)", entry))
        if fields.get("WorkDir") == str(folder):
            found[int(fields["JobId"])] = fields
    return found


def of_rule(folder: Path, name: str) -> list[dict[str, str]]:
    """The jobs of a rule or group, by the start of their comment, in the order of submission."""
    return [
        job for _, job in sorted(jobs(folder).items()) if job["Comment"].startswith(f"rule_{name}")
    ]


def last() -> int:
    """The number of the last job that was submitted."""
    numbers = re.findall(r"JobId=(\d+)", command("scontrol", "show", "job", "--oneliner"))
    return max(map(int, numbers), default=0)


def wait_for(what: Callable, seconds: float = 120):
    """What `what()` gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, f"not so within {seconds} s: {what}"
        time.sleep(0.2)
    return value


class OnSlurm(Project):
    """The project with the profile set as a user would; `snakemake` submits jobs."""

    def use(self, models: dict[str, Path], grid: str = GRID, **more) -> None:
        super().use(models, grid, **{"device": "cpu", **more})

    def set_profile(self, **settings: str) -> None:
        """Set keys that stand in the profile as comments, as a user would."""
        path = self.folder / "profiles" / "slurm" / "config.yaml"
        text = path.read_text()
        for key, value in settings.items():
            text, count = re.subn(rf"(?m)^( *)(?:# )?{key}: .*$", rf"\g<1>{key}: {value}", text)
            assert count == 1, f"{key} stands {count} times in {path}"
        path.write_text(text)

    def begin(self, *arguments: str) -> subprocess.Popen:
        """Start the command; its output goes to `output`."""
        self.log = (self.folder / "run.txt").open("w")
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--nocolor"),
                *("--slurm-init-seconds-before-status-checks", "2"),
                *("--configfile", "tiny.yaml", *arguments, "--", "results/table3.csv"),
            ],
            cwd=self.folder,
            env=self.environment(),
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def submit(self, *arguments: str, seconds: int = 400) -> subprocess.CompletedProcess:
        """Run the command to its end; its output is in `stdout`."""
        code = self.begin(*arguments).wait(seconds)
        return subprocess.CompletedProcess([], code, self.output())

    def output(self) -> str:
        return (self.folder / "run.txt").read_text()

    def delete(self, *patterns: str) -> None:
        """Delete results, which must be there, and the table."""
        for pattern in (*patterns, "table3.*"):
            found = list((self.folder / "results").glob(pattern))
            assert found, pattern
            for path in found:
                path.unlink()

    def times(self) -> dict[str, int]:
        """When each artifact changed last; what a run says of itself left out."""
        return {
            name: changed
            for name, (_, changed) in self.files().items()
            if not name.startswith(("results/logs/", "results/benchmarks/"))
            and not name.endswith("provenance.json")
        }

    def copy(self, folder: Path) -> "OnSlurm":
        """This project, finished, to break; times of change are kept."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        copied = object.__new__(OnSlurm)
        copied.folder = folder
        return copied
