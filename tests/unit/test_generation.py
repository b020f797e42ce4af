"""Greedy generation: batches against one at a time, engines, end markers, limits."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from sparsesum import checkpoints, costs, generation, patterns, quantisation, sparsity
from sparsesum.bills import bills
from sparsesum.errors import InputError
from sparsesum.job import Progress
from sparsesum.layerwise import prune
from sparsesum.prompt import inference_prompt
from sparsesum.pruners import magnitude

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["pre", "post"])
def row(request, opt_folders, tmp_path_factory):
    """A pruned int8 base and an adapter that does something: (pruned, base, adapter) folders."""
    folder = tmp_path_factory.mktemp(request.param)
    dense = opt_folders[request.param]
    prune(dense, folder / "pruned", None, magnitude, patterns.parse("2:4"), {})
    model = quantisation.load(folder / "pruned", CPU)
    checkpoints.save(model, folder / "base")
    targets = ["q_proj", "v_proj", "fc1"]
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=6, target_modules=targets))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.2)
    adapted.save_pretrained(folder / "adapter")
    return folder / "pruned", folder / "base", folder / "adapter"


def test_dequantised_values_are_bitsandbytes_own(row):
    _, base, _ = row
    dense = quantisation.dequantise(checkpoints.state(base))
    theirs = quantisation.load(base, CPU).dequantize().state_dict()
    names = sparsity.decoder_linears(dense)
    assert len(names) == 12
    for name in names:
        assert torch.equal(dense[name], theirs[name].float()), name


def test_the_zeros_are_there_in_int8_and_after_dequantising(row):
    pruned, base, _ = row
    before, after = checkpoints.state(pruned), checkpoints.state(base)
    zeros = sum(int((before[n] == 0).sum()) for n in sparsity.decoder_linears(before))
    assert sparsity.check_kept(before, after) == zeros > 0
    assert sparsity.check_kept(before, quantisation.dequantise(after)) == zeros


def test_an_int8_base_is_near_what_it_was_made_from(row):
    pruned, base, _ = row
    before = checkpoints.state(pruned)
    after = quantisation.dequantise(checkpoints.state(base))
    for name in sparsity.decoder_linears(before):
        step = before[name].abs().amax(1, keepdim=True) / 127
        # Half a step, and a little: bitsandbytes rounds to half precision first.
        assert ((before[name] - after[name]).abs() <= step * 0.57).all()


def test_the_dense_engine_multiplies_the_int8_values_and_the_adapter(row):
    _, base, adapter = row
    ids = torch.arange(4, 44)[None]
    model = generation.load(base, adapter, "dense", CPU)
    # The oracle: bitsandbytes' own dequantised model under peft's own adapter.
    theirs = PeftModel.from_pretrained(quantisation.load(base, CPU).dequantize().float(), adapter)
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, theirs.eval()(ids).logits, atol=1e-4)
        plain = checkpoints.load(row[0])(ids).logits
        assert not torch.allclose(model(ids).logits, plain, atol=1e-2)  # the adapter is there


def test_the_int8_engine_is_near_the_dense_one(row):
    _, base, adapter = row
    ids = torch.arange(4, 44)[None]
    with torch.no_grad():
        dense = generation.load(base, adapter, "dense", CPU)(ids).logits
        int8 = generation.load(base, adapter, "int8", CPU)(ids).logits
    assert not torch.equal(dense, int8)
    assert (dense - int8).abs().mean() < 0.1 * dense.std()


@pytest.mark.parametrize("engine", generation.ENGINES)
def test_both_engines_run_in_the_dtype_that_is_asked_for(row, engine):
    _, base, adapter = row
    model = generation.load(base, adapter, engine, CPU, torch.bfloat16)
    logits = model(torch.tensor([[2, 40, 41]])).logits
    assert logits.dtype == torch.bfloat16 and logits.isfinite().all()


def encoded(tokenizer, count: int) -> list[list[int]]:
    return [
        tokenizer.encode(inference_prompt(bill.text)).ids
        for bill in bills("us", count // 2, 7) + bills("california", count - count // 2, 7)
    ]


@pytest.mark.parametrize("model", ["opt-125m-mini", "opt-350m-mini"])
def test_batches_give_what_one_at_a_time_gives(model):
    """But for ties that float rounding decides: at most 1 in 200, the top logits within 1e-3."""
    folder = ROOT / "resources" / "models" / model
    opt = checkpoints.load(folder)
    tokenizer = generation.tokenizer(folder / "tokenizer.json")
    prompts = encoded(checkpoints.load_tokenizer(folder), 200)
    together = generation.generate(opt, tokenizer, prompts, 25, 16)
    alone = generation.generate(opt, tokenizer, prompts, 1, 16)
    different = [
        i for i, pair in enumerate(zip(together, alone, strict=True)) if pair[0] != pair[1]
    ]
    assert len(different) <= 1
    for i in different:
        same = next(k for k, (a, b) in enumerate(zip(together[i], alone[i])) if a != b)  # noqa: B905
        ids = torch.tensor([prompts[i] + alone[i][:same]])
        with torch.no_grad():
            best = opt(ids).logits[0, -1].topk(2).values
        assert best[0] - best[1] < 1e-3
    assert len({tuple(row) for row in together}) > 20  # the outputs say something about the prompts


def writer(opt, tokenizer, text: str):
    """The model with logits that say `text`, token by token: `generate` is transformers' own."""
    said = iter(tokenizer.encode(text, add_special_tokens=False))

    def hook(module, args, kwargs, output):
        output.logits[:, -1] = 0
        output.logits[:, -1, next(said)] = 9

    opt.register_forward_hook(hook, with_kwargs=True)
    return opt


def test_generation_stops_at_the_end_marker(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompt = list(range(4, 14))
    model = writer(
        checkpoints.load(opt_folders["pre"]), tokenizer, "Sets a fine.\n\n### End and on"
    )
    (ids,) = generation.generate(model, tokenizer, [prompt], 1, 60)
    tokens = {"id": ["x"], "prompt_ids": [prompt], "reference": ["r"]}
    (record,) = generation.records(tokens, [ids], tokenizer, 60)
    assert record == {
        "id": "x",
        "prompt_tokens": 10,
        "tokens": len(ids),
        "cut_off": False,
        "prediction": "Sets a fine.",
        "reference": "r",
    }
    assert len(ids) < 60


def test_a_generation_that_hits_the_limit_is_cut_off(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = writer(checkpoints.load(opt_folders["pre"]), tokenizer, "more and more and more")
    generated = generation.generate(model, tokenizer, [list(range(4, 14))], 1, 7)
    assert len(generated[0]) == 7
    tokens = {"id": ["x"], "prompt_ids": [[0] * 10], "reference": ["r"]}
    assert generation.records(tokens, generated, tokenizer, 7)[0]["cut_off"]


def test_results_come_in_the_prompts_order(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = checkpoints.load(opt_folders["pre"])
    prompts = [list(range(4, 4 + n)) for n in (5, 40, 12, 33)]
    forward = generation.generate(model, tokenizer, prompts, 2, 5)
    backward = generation.generate(model, tokenizer, prompts[::-1], 2, 5)
    assert forward == backward[::-1]


def test_a_prompt_beyond_the_positions_is_refused(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = checkpoints.load(opt_folders["pre"])
    with pytest.raises(InputError, match="500 tokens and generate.max_new_tokens = 13 exceed"):
        generation.generate(model, tokenizer, [[5] * 500], 1, 13)


def test_costs_grow_with_what_is_generated(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = checkpoints.load(opt_folders["pre"])
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    runs = costs.milliseconds_per_token(model, list(range(4, 24)), 8, 3)
    assert len(runs) == 3 and runs == sorted(runs) and runs[0] > 0
    # A warm-up of 2 tokens, then three times 9 and 1.
    assert len(calls) == 2 + 3 * (9 + 1)
    calls.clear()
    seconds = costs.inference_seconds(model, tokenizer, [[5] * 9] * 4, 2, 6, None)
    assert seconds > 0 and len(calls) <= 2 + 2 * 6
    protocol = costs.protocol(CPU, "float32", "dense", 2)
    assert protocol["peak_memory_mb"] > 100 and "threads" in protocol["device"]


def test_generation_goes_on_after_the_last_finished_batch(row, opt_folders, tmp_path, caplog):
    caplog.set_level("INFO")
    model = checkpoints.load(row[0])
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [list(range(4, 10 + i % 5)) for i in range(10)]
    undisturbed = generation.generate(model, tokenizer, prompts, 3, 8)
    theirs, calls = model.generate, []

    def counted(*args, **kwargs):
        if len(calls) == 2:
            calls.append("broken")
            raise KeyboardInterrupt
        calls.append(len(kwargs["input_ids"]))
        return theirs(*args, **kwargs)

    model.generate = counted
    with pytest.raises(KeyboardInterrupt):
        generation.generate(model, tokenizer, prompts, 3, 8, notes=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    progress = Progress("test", 10, "bills")
    again = generation.generate(model, tokenizer, prompts, 3, 8, progress, notes=tmp_path)
    assert again == undisturbed
    assert calls == [3, 3, "broken", 3, 1]
    assert "test: going on from 6 of 10 bills" in caplog.messages
