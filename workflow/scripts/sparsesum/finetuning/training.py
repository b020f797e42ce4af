"""The training loop that full fine-tuning and QLoRA share: transformers' Trainer.

Source of the settings: "Pruning OPT for Summarization", section 3, and its authors' notebooks.
"""

import csv
import os
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pyarrow.parquet
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy, pad
from torch.nn.utils.rnn import pad_sequence
from transformers import Trainer, TrainingArguments
from transformers.models.opt.modeling_opt import OPTDecoder
from transformers.trainer_callback import PrinterCallback

from sparsesum.base.errors import InputError
from sparsesum.base.files import whole
from sparsesum.finetuning.callbacks import Checkpoints, Messages, curve_of
from sparsesum.finetuning.settings import Notes, Settings
from sparsesum.finetuning.watch import Watch
from sparsesum.machine import device as devices
from sparsesum.machine import memory

IGNORED = -100
"""The label of a token that the loss does not cover."""


def examples(
    tokens: Path, loss: str, end_token: bool, tokenizer_file: Path
) -> list[dict[str, torch.Tensor]]:
    """Training examples from a parquet file of tokens: input_ids and labels, [tokens] each.

    `loss` is "summary" (labels cover the summary and "### End") or "sequence" (the prompt too, as
    in the paper). end_token: "</s>" is appended and learned, as the tokenizer has it, since that is
    where generation stops.
    """
    end = [Tokenizer.from_file(str(tokenizer_file)).token_to_id("</s>")] if end_token else []
    rows = pyarrow.parquet.ParquetFile(tokens).read(["input_ids", "summary_start"]).to_pylist()
    found = []
    for row in rows:
        ids = torch.tensor([*row["input_ids"], *end])
        labels = ids.clone()
        labels[: row["summary_start"] if loss == "summary" else 0] = IGNORED
        found.append({"input_ids": ids, "labels": labels})
    return found


class Padded:
    """Puts examples in a batch, each padded on the right to the longest."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, chosen: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """input_ids, labels and attention_mask of the examples, each [rows, tokens]."""
        ids, labels = ([example[name] for example in chosen] for name in ("input_ids", "labels"))
        ones = [torch.ones_like(row) for row in ids]
        return {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.pad),
            "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
            "attention_mask": pad_sequence(ones, batch_first=True),
        }


class Placed(Padded):
    """The same without a mask, and with the places of the tokens that the loss covers.

    A mask is not needed, since no token looks to its right, and fused attention is faster without.
    Places are looked for here, since a GPU would be waited for. shape: rows, tokens and places of
    every batch, so that a step can be captured; what is missing is padding, which adds nothing to
    the loss.
    """

    def __init__(self, pad: int, shape: tuple[int, int, int] | None = None) -> None:
        super().__init__(pad)
        self.shape = shape

    def __call__(self, chosen: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """input_ids and labels, [rows, tokens]; places in the flat logits, and targets there."""
        batch = super().__call__(chosen)
        ids, labels = batch["input_ids"], batch["labels"]
        if self.shape:
            rows, tokens, _ = self.shape
            assert ids.shape[0] <= rows and ids.shape[1] <= tokens
            more = (0, tokens - ids.shape[1], 0, rows - ids.shape[0])  # type: tuple[int, ...]
            ids, labels = pad(ids, more, value=self.pad), pad(labels, more, value=IGNORED)
        next_labels = labels[:, 1:]
        row, column = (next_labels != IGNORED).nonzero(as_tuple=True)
        places, targets = row * ids.shape[1] + column, next_labels[row, column]
        if self.shape:
            more = (0, self.shape[2] - len(places))
            places, targets = pad(places, more), pad(targets, more, value=IGNORED)
        return {"input_ids": ids, "labels": labels, "places": places, "targets": targets}


class Trainable(NamedTuple):
    """A model whose parameters with a gradient are trained, and how a step computes.

    autocast: with 16 bits, weights are cast where they are multiplied; a model that is in that
    dtype itself needs none. captured: a step's work looks at no value on the device, so that a GPU
    may repeat it as a CUDA graph, where a step is one batch. adapters: the module that saves the
    model, if an adapter is all that is trained of it. computed: the weights that each step makes
    anew and keeps for its gradients.
    """

    model: Any
    autocast: bool = True
    captured: bool = False
    adapters: ModuleType | None = None
    computed: int = 0


class Arguments(TrainingArguments):
    """One GPU, however many there are: the Trainer would give each a batch of its own."""

    @property
    def n_gpu(self) -> int:
        """0 or 1."""
        return min(1, super().n_gpu)


def causal(decoder: OPTDecoder, ids: torch.Tensor) -> torch.Tensor:
    """What transformers' decoder makes of token ids, [rows, tokens], without a mask.

    Its own forward pass inspects the mask that it builds, so that the CPU waits for the GPU. Fused
    attention is causal without one; the eager kind is not.
    """
    assert decoder.config._attn_implementation == "sdpa"
    positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
    hidden = decoder.embed_tokens(ids)
    if decoder.project_in is not None:
        hidden = decoder.project_in(hidden)
    hidden = hidden + decoder.embed_positions(None, position_ids=positions)
    for layer in decoder.layers:
        hidden = layer(hidden)
    if decoder.final_layer_norm is not None:
        hidden = decoder.final_layer_norm(hidden)
    return hidden if decoder.project_out is None else decoder.project_out(hidden)


class Labelled(Trainer):
    """A Trainer that computes logits only where there is a label, if a batch says where.

    The loss is the same: logits of a prompt's tokens, of a whole vocabulary and in float32, are
    most of the memory that a step takes.

    captured: on a GPU the third step is captured, with its gradients, as a CUDA graph, and the
    following replay it: the same kernels on the same random numbers, without the thousands of
    launches for which the GPU would wait. All batches have one shape then, and are a step each.

    An InputError at a step whose loss or gradients are not finite: on a CPU before it changes a
    weight, on a GPU, which is not waited for in between, at the next point of the loss curve.
    """

    captured = False
    WARM_UP = 2
    _steps = 0
    _graph: "torch.cuda.CUDAGraph | Any" = None
    _watch: Watch | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._losses: list[Any] = []

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: Any = False, num_items_in_batch: Any = None
    ) -> Any:
        """A batch's part of its step's mean loss; at its `places` alone, if it has them."""
        if "places" not in inputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        model = self.accelerator.unwrap_model(model)
        model = model.get_base_model() if hasattr(model, "get_base_model") else model
        with self.accelerator.autocast():
            hidden = causal(model.model.decoder, inputs["input_ids"])
            logits = model.lm_head(hidden.flatten(0, 1).index_select(0, inputs["places"])).float()
        total = cross_entropy(logits, inputs["targets"], ignore_index=IGNORED, reduction="sum")
        return total / num_items_in_batch

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """A batch's forward and backward pass; gives its part of the loss."""
        loss = self._forward_and_backward(model, inputs, num_items_in_batch)
        self._losses.append(loss)
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        # The Trainer has the norm here, at the end of each step, before the weights are changed.
        norm = super()._get_grad_norm(model, grad_norm)
        if self._watch is None:
            self._watch = Watch(norm.device, scaled=self.args.fp16)
        step, steps = self.state.global_step + 1, self.state.max_steps
        self._watch.observe(step, sum(self._losses), norm, self._get_learning_rate())
        self._losses.clear()
        if norm.device.type == "cpu" or step == steps or not step % self.args.logging_steps:
            self._watch.check(steps)
        return norm

    def _forward_and_backward(self, model: Any, inputs: Any, num_items_in_batch: Any) -> Any:
        self._steps += 1
        if not self.captured or self._steps <= self.WARM_UP:
            return super().training_step(model, inputs, num_items_in_batch)
        inputs = self._prepare_inputs(inputs)
        if self._graph is None:
            self._capture(model, inputs)
        for name, static in self._inputs.items():
            static.copy_(inputs[name])
        self._count.copy_(torch.as_tensor(num_items_in_batch))
        self._graph.replay()
        for parameter, gradient in self._gradients:  # the Trainer drops them after each step
            parameter.grad = gradient
        return self._loss.clone()

    def _capture(self, model: Any, inputs: Any) -> None:
        self._inputs = {name: tensor.clone() for name, tensor in inputs.items()}
        self._count = torch.ones((), device=self.args.device)
        model.zero_grad(set_to_none=True)  # the graph has gradients of its own
        torch.cuda.empty_cache()  # and memory of its own
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            loss = self.compute_loss(model, self._inputs, num_items_in_batch=self._count)
            self.accelerator.backward(loss)
        self._loss = loss.detach()
        self._gradients = [(p, p.grad) for p in model.parameters() if p.grad is not None]


LAUNCHERS = (
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID"),
    *("PMI_", "OMPI_COMM_WORLD_", "MV2_COMM_WORLD_", "MPI_LOCALRANKID"),
    *("ACCELERATE_", "FSDP_", "PARALLELISM_CONFIG_"),
)
"""How the names begin of what torchrun, mpirun, srun and accelerate tell a process of others.

The Trainer would look for those others, or compute in the precision that is set there.
"""


def _on_its_own() -> None:
    """Take out of this process's environment what would make of the training one of several."""
    for name in [name for name in os.environ if name.startswith(LAUNCHERS)]:
        del os.environ[name]


def train(
    trainable: Trainable,
    data: list[dict[str, torch.Tensor]],
    tokenizer_file: Path,
    device: torch.device,
    settings: Settings,
    curve: Path,
    notes: Notes,
) -> dict[str, Any]:
    """Train a model in place. Returns seconds, steps, peak_memory_mb, examples, device and more.

    A batch is padded to its longest sequence. The loss curve goes to the CSV file `curve` (loss:
    mean since the point before). The training's state is saved to the notes' folder; what a run of
    the same arguments that was broken off left there is resumed, with the same result.

    An InputError where an example exceeds the model's positions, where the training has no more
    steps than warmup_steps, or where it diverges.
    """
    model, autocast, captured = trainable[:3]
    _on_its_own()
    longest = max(len(example["labels"]) for example in data)
    if longest > (limit := model.config.max_position_embeddings):
        raise InputError(
            f"a text of {longest} tokens, with prompt and summary, exceeds the model's {limit} "
            "positions; lower tokens.text or tokens.summary"
        )
    dtype = devices.dtype(settings.precision, device)
    on_gpu = device.type == "cuda"
    batch_size, checkpointing = _batches(trainable, data, device, dtype, settings)
    arguments = Arguments(
        output_dir=str(notes.folder),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=batch_size,
        gradient_accumulation_steps=settings.effective_batch // batch_size,
        warmup_steps=settings.warmup_steps,
        lr_scheduler_type=settings.schedule,
        gradient_checkpointing=checkpointing,
        # Inputs of a frozen base have no gradient, which the older way wants.
        gradient_checkpointing_kwargs={"use_reentrant": False},
        fp16=autocast and dtype == torch.float16,
        bf16=autocast and dtype == torch.bfloat16,
        optim="adamw_torch_fused" if on_gpu else "adamw_torch",
        weight_decay=0.0,
        seed=settings.seed,
        use_cpu=not on_gpu,
        save_strategy="no",  # Checkpoints says when
        save_total_limit=2,  # one is complete while the next is written
        report_to="none",
        logging_steps=settings.log_every,
        # It would put the mean of earlier losses in place of NaN; Labelled looks for NaN itself.
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
    )
    checkpoints = Checkpoints(notes.every, devices.name(device))
    captured = captured and on_gpu and not checkpointing
    captured = captured and batch_size == settings.effective_batch
    trainer = Labelled(
        model=model,
        args=arguments,
        train_dataset=data,
        data_collator=_collator(data, tokenizer_file, batch_size if captured else None),
        callbacks=[Messages(), checkpoints],
    )
    trainer.captured = captured
    # It would print each log line as a bare dict; ours says the same with the time left.
    trainer.remove_callback(PrinterCallback)
    last = checkpoints.resume(notes.folder)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    costs = checkpoints.costs(device)
    points = curve_of(trainer.state.log_history)
    with whole(curve) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["step", "epoch", "learning_rate", "loss"])
        writer.writeheader()
        writer.writerows(points)
    return {
        "examples": len(data),
        "steps": trainer.state.global_step,
        "batch_size": batch_size,
        "checkpointing": checkpointing,
        "seconds": round(costs["seconds"], 3),
        "peak_memory_mb": round(costs["peak_memory_mb"], 1),
        # Of a training that was resumed elsewhere, all of them.
        "device": " / ".join(costs["devices"]),
        "final_loss": points[-1]["loss"] if points else None,
    }


def _collator(
    data: list[dict[str, torch.Tensor]], tokenizer_file: Path, rows: int | None
) -> Padded:
    """What makes batches; `rows`: of every batch, where all have one shape."""
    padding = Tokenizer.from_file(str(tokenizer_file)).token_to_id("<pad>")  # type: Any
    if rows is None:
        return Placed(padding)
    longest = max(len(example["labels"]) for example in data)
    labelled = max(int((example["labels"][1:] != IGNORED).sum()) for example in data)
    return Placed(padding, (rows, longest, rows * labelled))


def _batches(
    trainable: Trainable,
    data: list[dict[str, torch.Tensor]],
    device: torch.device,
    dtype: torch.dtype,
    settings: Settings,
) -> tuple[int, bool]:
    """Sequences at a time, and whether gradients are checkpointed, with "auto" decided."""
    model = trainable.model
    effective, batch_size = settings.effective_batch, settings.batch_size  # type: int, Any
    checkpointing = settings.checkpointing  # type: Any
    tokens = sum(len(example["labels"]) for example in data)
    labelled = sum(int((example["labels"] != IGNORED).sum()) for example in data)
    fits = partial(
        memory.of_training,
        device,
        model.config.to_dict(),
        length=max(len(example["labels"]) for example in data),
        # One that is made anew takes no more than one that is trained: product, mask, gradient.
        trained=sum(p.numel() for p in model.parameters() if p.requires_grad) + trainable.computed,
        labelled=labelled / tokens,
        half=dtype != torch.float32,
        effective=effective,
    )
    if checkpointing == "auto":
        wanted = 1 if batch_size == "auto" else batch_size
        checkpointing = device.type == "cuda" and fits(checkpointing=False) < wanted
    if batch_size == "auto":
        batch_size = max(1, fits(checkpointing=checkpointing))
    return batch_size, checkpointing
