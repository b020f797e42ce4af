"""Greedy generation: batches against one at a time, engines, end markers, limits."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from sparsesum.base import files
from sparsesum.base.errors import InputError
from sparsesum.corpus.bills import bills
from sparsesum.corpus.prompt import inference_prompt
from sparsesum.experiment import patterns
from sparsesum.generation import costs, decoding, generation
from sparsesum.jobs.job import Progress
from sparsesum.machine import memory
from sparsesum.models import checkpoints, deployed, linears, opt, quantisation
from sparsesum.pruning import checks
from sparsesum.pruning.layerwise import prune
from sparsesum.pruning.pruners import magnitude

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
    names = linears.weights(dense)
    assert len(names) == 12
    for name in names:
        assert torch.equal(dense[name], theirs[name].float()), name


def test_the_zeros_are_there_in_int8_and_after_dequantising(row):
    pruned, base, _ = row
    before, after = checkpoints.state(pruned), checkpoints.state(base)
    zeros = sum(int((before[n] == 0).sum()) for n in linears.weights(before))
    assert checks.check_kept(before, after) == zeros > 0
    assert checks.check_kept(before, quantisation.dequantise(after)) == zeros


def test_an_int8_base_is_near_what_it_was_made_from(row):
    pruned, base, _ = row
    before = checkpoints.state(pruned)
    after = quantisation.dequantise(checkpoints.state(base))
    for name in linears.weights(before):
        step = before[name].abs().amax(1, keepdim=True) / 127
        # Half a step, and a little: bitsandbytes rounds to half precision first.
        assert ((before[name] - after[name]).abs() <= step * 0.57).all()


def test_the_dense_engine_multiplies_the_int8_values_and_the_adapter(row):
    _, base, adapter = row
    ids = torch.arange(4, 44)[None]
    model = deployed.load(base, adapter, "dense", CPU)
    # The oracle: bitsandbytes' own dequantised model under peft's own adapter.
    theirs = PeftModel.from_pretrained(quantisation.load(base, CPU).dequantize().float(), adapter)
    with torch.no_grad():
        assert torch.allclose(model(ids), theirs.eval()(ids).logits, atol=1e-4)
        plain = checkpoints.load(row[0])(ids).logits
        assert not torch.allclose(model(ids), plain, atol=1e-2)  # the adapter is there
        merged = quantisation.load_dense(base, CPU, torch.float32, adapter)
        assert not merged.training
        assert torch.allclose(merged(ids).logits, model(ids), atol=1e-4)


def test_the_int8_engine_is_near_the_dense_one(row):
    _, base, adapter = row
    ids = torch.arange(4, 44)[None]
    with torch.no_grad():
        dense = deployed.load(base, adapter, "dense", CPU)(ids)
        int8 = deployed.load(base, adapter, "int8", CPU)(ids).logits
    assert not torch.equal(dense, int8)
    assert (dense - int8).abs().mean() < 0.1 * dense.std()


@pytest.mark.parametrize("engine", deployed.ENGINES)
def test_both_engines_run_in_the_dtype_that_is_asked_for(row, engine):
    _, base, adapter = row
    model = deployed.load(base, adapter, engine, CPU, torch.bfloat16)
    with torch.no_grad():
        logits = model(torch.tensor([[2, 40, 41]]))
    logits = getattr(logits, "logits", logits)
    assert logits.dtype == torch.bfloat16 and logits.isfinite().all()


def encoded(tokenizer, count: int) -> list[list[int]]:
    return [
        tokenizer.encode(inference_prompt(bill.text)).ids
        for bill in bills("us", count // 2, 7) + bills("california", count - count // 2, 7)
    ]


def loaded(folder: Path) -> opt.OPT:
    return deployed.load(folder, None, "dense", CPU)


@pytest.mark.long("generates with the true models, also with transformers")
@pytest.mark.parametrize("model", ["opt-125m-mini", "opt-350m-mini"])
def test_tokens_are_those_of_transformers_whatever_the_batch(model):
    """But for ties that float rounding decides: at most 1 in 80, the top logits within 1e-3."""
    folder = ROOT / "resources" / "models" / model
    theirs, tokenizer = checkpoints.load(folder), generation.tokenizer(folder / "tokenizer.json")
    prompts = encoded(checkpoints.load_tokenizer(folder), 80)
    together = generation.generate(loaded(folder), tokenizer, prompts, 25, 16).tokens
    expected = generation.generate(theirs, tokenizer, prompts, 40, 16).tokens
    alone = generation.generate(loaded(folder), tokenizer, prompts, 1, 16).tokens
    for other in (expected, alone):
        different = [i for i in range(80) if together[i] != other[i]]
        assert len(different) <= 1
        for i in different:
            both = zip(together[i], other[i], strict=False)
            same = next(k for k, (a, b) in enumerate(both) if a != b)
            ids = torch.tensor([prompts[i] + other[i][:same]])
            with torch.no_grad():
                best = theirs(ids).logits[0, -1].topk(2).values
            assert best[0] - best[1] < 1e-3
    assert len({tuple(row) for row in together}) > 20  # the outputs say something about the prompts


def writer(model: opt.OPT, tokenizer, text: str) -> opt.OPT:
    """The model with logits that say `text`, token by token."""
    said = iter(tokenizer.encode(text, add_special_tokens=False).ids * 9)

    def hook(module, args, output):
        token = next(said)
        output.zero_()[:, token] = 9

    model.lm_head.register_forward_hook(hook)
    return model


@pytest.mark.parametrize("every", [1, 8, 100])
def test_generation_stops_at_the_end_marker(opt_folders, every, monkeypatch):
    monkeypatch.setattr(decoding, "EVERY", every)
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompt = list(range(4, 14))
    said = "Sets a fine.\n\n### End and on"
    model = writer(loaded(opt_folders["pre"]), tokenizer, said)
    generated = generation.generate(model, tokenizer, [prompt], 1, 60)
    (ids,) = generated.tokens
    # Up to the token that completes the marker: what came before the next look is cut off.
    assert tokenizer.decode(ids).startswith("Sets a fine.\n\n### End")
    assert "### End" not in tokenizer.decode(ids[:-1])
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


def test_a_sequence_ends_with_its_end_token_while_others_go_on(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = loaded(opt_folders["pre"])
    end, calls = tokenizer.token_to_id("</s>"), []

    def hook(module, args, output):
        calls.append(len(output))
        output.zero_()[:, 50 + len(calls)] = 9
        if len(calls) == 3:
            output[1, end] = 10

    model.lm_head.register_forward_hook(hook)
    prompts = [list(range(4, 24)), list(range(4, 12))]
    rows = generation.generate(model, tokenizer, prompts, 2, 30).tokens
    assert rows[0] == list(range(51, 81)) and rows[1] == [51, 52, end]
    assert calls == [2] * 30


def test_it_stops_soon_after_the_last_sequence_ended(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = writer(loaded(opt_folders["pre"]), tokenizer, "Ends.\n\n### End")
    calls = []
    model.lm_head.register_forward_hook(lambda *_: calls.append(1))
    generation.generate(model, tokenizer, [[5] * 9] * 2, 2, 200)
    length = len(tokenizer.encode("Ends.\n\n### End", add_special_tokens=False).ids)
    assert length <= len(calls) < length + decoding.EVERY


def test_a_generation_that_hits_the_limit_is_cut_off(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    model = writer(loaded(opt_folders["pre"]), tokenizer, "more and more and more")
    generated = generation.generate(model, tokenizer, [list(range(4, 14))], 1, 7).tokens
    assert len(generated[0]) == 7
    tokens = {"id": ["x"], "prompt_ids": [[0] * 10], "reference": ["r"]}
    assert generation.records(tokens, generated, tokenizer, 7)[0]["cut_off"]


def test_results_come_in_the_prompts_order(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [list(range(4, 4 + n)) for n in (5, 40, 12, 33)]
    model = loaded(opt_folders["pre"])
    forward = generation.generate(model, tokenizer, prompts, 2, 5).tokens
    backward = generation.generate(model, tokenizer, prompts[::-1], 2, 5).tokens
    assert forward == backward[::-1]


def test_a_prompt_beyond_the_positions_is_refused(opt_folders):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    with pytest.raises(InputError, match="500 tokens and generate.max_new_tokens = 13 exceed"):
        generation.generate(loaded(opt_folders["pre"]), tokenizer, [[5] * 500], 1, 13)


@pytest.mark.parametrize("kind", [loaded, checkpoints.load])
def test_costs_grow_with_what_is_generated(opt_folders, kind):
    model = kind(opt_folders["pre"])
    calls = []
    model.lm_head.register_forward_hook(lambda *_: calls.append(1))
    runs = costs.milliseconds_per_token(model, list(range(4, 24)), 8, 3)
    assert len(runs) == 3 and runs == sorted(runs) and runs[0] > 0
    # Nine tokens and one, first to warm up, then three times.
    assert len(calls) == (1 + 3) * (9 + 1)


def test_as_many_prompts_as_memory_holds(opt_folders, monkeypatch):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [[5] * 9] * 40
    model = loaded(opt_folders["pre"])
    assert generation.generate(model, tokenizer, prompts, "auto", 2).batch_size == memory.ON_CPU
    assert generation.generate(model, tokenizer, prompts[:3], "auto", 2).batch_size == 3


def test_generation_goes_on_after_the_last_finished_batch(row, opt_folders, tmp_path, caplog):
    caplog.set_level("INFO")
    model = loaded(row[0])
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [list(range(4, 10 + i % 5)) for i in range(10)]
    undisturbed = generation.generate(model, tokenizer, prompts, 3, 8)
    begun = []

    def counted(module, args, kwargs):
        if args[0].shape[1] > 1:  # a batch of prompts
            if len(begun) == 2:
                begun.append("broken")
                raise KeyboardInterrupt
            begun.append(int((args[0][:, 0] != 1).sum()))

    model.decoder.register_forward_pre_hook(counted, with_kwargs=True)
    with pytest.raises(KeyboardInterrupt):
        generation.generate(model, tokenizer, prompts, 3, 8, notes=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    progress = Progress("test", 10, "bills")
    again = generation.generate(model, tokenizer, prompts, 3, 8, progress, notes=tmp_path)
    assert again.tokens == undisturbed.tokens and again.seconds > 0
    assert again.peak_memory_mb > 100 and "threads" in again.devices[0]
    assert begun == [3, 3, "broken", 3, 1]
    assert "test: resuming from 6 of 10 bills" in caplog.messages

    # Part of it was made on another machine, which needed more.
    (first,) = tmp_path.glob("*-0.json")
    note = files.read_json(first)
    files.write_json(first, note | {"peak_memory_mb": 1e6, "device": "Card X"})
    third = generation.generate(model, tokenizer, prompts, 3, 8, notes=tmp_path)
    assert third.tokens == undisturbed.tokens and third.peak_memory_mb == 1e6
    assert third.devices == ["Card X", *again.devices]
    # This one holds another number of prompts.
    assert generation.generate(model, tokenizer, prompts, 4, 8, notes=tmp_path).batch_size == 4
