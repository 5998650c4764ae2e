"""The rivals' own environment, and how one of their programs is run in it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.knowledge_base import REPOSITORY
from knowledge.embedder import exported_model
from knowledge.settings import default_cache

FOLDER = Path(__file__).parent
CACHE = REPOSITORY / ".deskmate" / "bench"
TORCH = "torch==2.13.0"


def rivals_python() -> Path:
    """The interpreter of the environment; made now (some minutes) if it isn't there as the requirements ask."""
    home = CACHE / "rivals-venv"
    python, stamp = home / "bin" / "python", home / "requirements.sha256"
    wanted = hashlib.sha256((FOLDER / "requirements.txt").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Making the rivals' environment; this takes some minutes.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, TORCH], check=True)  # first: a requirement of others would bring a larger build
        subprocess.run([*pip, "-r", str(FOLDER / "requirements.txt")], check=True)
        stamp.write_text(wanted)
    return python


def run_rival(program: str, command: str, arguments: Sequence[str | Path], report: Path) -> dict[str, Any]:
    """`ingest` or `ask` of `run_PROGRAM.py` (see `beir.py`); its report. `arguments`: folder, store, and what
    follows the report. Ends this program when it fails."""
    folder, store, *more = map(str, arguments)
    Path(store).mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "TOKENIZERS_PARALLELISM": "false",
        "ONNX_MODEL": str(exported_model("", default_cache())),
    }
    log = report.with_suffix(".log")
    with log.open("w") as output:
        done = subprocess.run(
            [str(rivals_python()), str(FOLDER / f"run_{program}.py"), command, folder, store, str(report), *more],
            env=environment,
            stdout=output,
            stderr=output,
        )
    if done.returncode != 0:
        sys.exit(f"run_{program}.py {command} failed:\n{log.read_text()[-2000:]}")
    told: dict[str, Any] = json.loads(report.read_text())
    return told
