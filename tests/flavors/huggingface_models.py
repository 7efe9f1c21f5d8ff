"""A program of the huggingface environment: small models of each task, asked of our predictor and of transformers.

`python huggingface_models.py FOLDER` prints one line of JSON for each case: its name, what our predictor said and what
transformers said, or why our predictor would not load. Where to look it is told by the first argument.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from argosy.errors import ArgosyError
from argosy.flavors.huggingface import HuggingfaceModel
from argosy.flavors.loading import options
from argosy.flavors.text.libraries import torch, transformers
from argosy.flavors.text.tasks import LabelRequest, Labels, Question, QuestionRequest, TextRequest

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "a", "mat", "who", "this", "is", "."]
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
VOCABULARY = [*WORDS, *(letter for letter in LETTERS if letter != "a"), *(f"##{letter}" for letter in LETTERS)]
TEXTS = ["the cat sat on a mat.", "the mat"]
MASKED = ["the [MASK] sat", "a [MASK] is on the mat."]
BERT: dict[str, Any] = {
    "vocab_size": len(VOCABULARY), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 64, "max_position_embeddings": 48,
}  # fmt: skip


def save(folder: Path, kind: str, config: Any, **parts: Any) -> Path:
    """A model of random weights, with the tokenizer of the vocabulary."""
    torch.manual_seed(0)
    getattr(transformers, kind)(config).save_pretrained(folder)
    for part in parts.values():
        part.save_pretrained(folder)
    return folder


def tokenizer(folder: Path) -> Any:
    """Words and letters."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocabulary.txt").write_text("\n".join(VOCABULARY))
    return transformers.BertTokenizerFast(vocab=str(folder / "vocabulary.txt"))


def loaded(folder: Path, **told: object) -> HuggingfaceModel:
    """Our predictor of a folder."""
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(told)
    options.read.cache_clear()
    model = HuggingfaceModel()
    model.load(folder)
    return model


def pipelines(folder: Path, words: Any) -> Iterator[tuple[str, object, object]]:
    """The tasks that transformers has pipelines for: case, ours, theirs."""
    config = transformers.BertConfig(**BERT, num_labels=3)
    nli = transformers.BertConfig(
        **BERT, id2label={0: "contradiction", 1: "neutral", 2: "entailment"},
        label2id={"contradiction": 0, "neutral": 1, "entailment": 2},
    )  # fmt: skip
    gpt = transformers.GPT2Config(
        vocab_size=len(VOCABULARY), n_embd=32, n_layer=2, n_head=2, n_positions=48, bos_token_id=2, eos_token_id=3
    )
    few = {"max_new_tokens": 4, "do_sample": False}
    for task, kind, given, texts, parameters in (
        ("text-classification", "BertForSequenceClassification", config, TEXTS, {"top_k": 2}),
        ("token-classification", "BertForTokenClassification", config, TEXTS, {"aggregation_strategy": "simple"}),
        ("fill-mask", "BertForMaskedLM", config, MASKED, {"top_k": 2}),
        ("feature-extraction", "BertModel", config, TEXTS, {"truncation": True}),
        ("text-generation", "GPT2LMHeadModel", gpt, TEXTS, few),
    ):
        place = save(folder / task, kind, given, words=words)
        direct = transformers.pipeline(task, model=str(place))
        ours = loaded(place)
        if task != "text-generation":  # it would write 256 new tokens
            yield task, ours.predict(texts), direct(texts)
            yield f"{task}: one in a list", ours.predict([texts[0]]), direct(texts)[:1]
        request = [TextRequest(texts, parameters), texts[1], TextRequest(texts[0], parameters)]
        if task == "text-generation":
            request[1] = TextRequest(texts[1], parameters)
        theirs = [direct(texts, **parameters), None, direct(texts[0], **parameters)]
        theirs[1] = direct(texts[1], **parameters) if task == "text-generation" else direct(texts)[1]
        yield f"{task}: requests", ours.predict(request), theirs
    place = save(folder / "nli", "BertForSequenceClassification", nli, words=words)
    labels = Labels(["cat", "mat"], multi_label=True, hypothesis_template="this is {}.")
    zero_shot = transformers.pipeline("zero-shot-classification", model=str(place))
    yield (
        "zero-shot-classification",
        loaded(place, task="zero-shot-classification").predict(
            [LabelRequest(TEXTS, labels), LabelRequest("a", labels)]
        ),
        [zero_shot(text, **labels.to_dict()) for text in (TEXTS, "a")],
    )


def images(folder: Path, words: Any) -> Iterator[tuple[str, object, object]]:
    """Image classification."""
    from PIL import Image

    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8
    )
    size = {"height": 32, "width": 32}
    place = save(
        folder / "image", "ViTForImageClassification", config, images=transformers.ViTImageProcessor(size=size)
    )
    pictures = [Image.new("RGB", (40, 30), color) for color in ("red", "green")]
    yield (
        "image-classification",
        loaded(place).predict(pictures),
        transformers.pipeline("image-classification", model=str(place))(pictures),
    )


def removed(folder: Path, words: Any) -> Iterator[tuple[str, object, object]]:
    """The tasks whose pipelines transformers 5 has no more: beside them, its own `generate`, and logits."""
    specific = {"summarization": {"prefix": "the ", "max_new_tokens": 5}}
    config = transformers.T5Config(
        vocab_size=len(VOCABULARY), d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0,
        pad_token_id=0, eos_token_id=3,
    )  # fmt: skip
    place = save(folder / "t5", "T5ForConditionalGeneration", config, words=words)
    told = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**told, "task_specific_params": specific}))
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(place)
    tokens = words("the cat", return_tensors="pt", return_token_type_ids=False)
    new = words.decode(model.generate(**tokens, max_new_tokens=5)[0], skip_special_tokens=True)
    yield "summarization", loaded(place, task="summarization").predict(["cat"]), [[{"summary_text": new}]]
    place = save(folder / "qa", "BertForQuestionAnswering", transformers.BertConfig(**BERT), words=words)
    reader = loaded(place)
    answer = reader.predict([Question("who sat", "the cat sat on a mat.")])
    yield (
        "question-answering: of the text",
        answer[0]["answer"],
        "the cat sat on a mat."[answer[0]["start"] : answer[0]["end"]],
    )
    both = words("who sat", "the cat sat on a mat.", return_tensors="pt", return_offsets_mapping=True)
    offsets = both.pop("offset_mapping")[0].tolist()
    found = transformers.AutoModelForQuestionAnswering.from_pretrained(place)(**both)
    allowed = torch.tensor([part == 1 for part in both.sequence_ids(0)])
    kept = allowed.clone()
    kept[0] = True
    scores = [
        torch.where(kept, each[0], -torch.inf).softmax(0) * allowed for each in (found.start_logits, found.end_logits)
    ]
    table = torch.outer(*scores).triu().tril(14)
    first, last = divmod(int(table.argmax()), table.shape[1])
    words_of = both.encodings[0]
    span = [words_of.word_to_chars(words_of.token_to_word(token), 1) for token in (first, last)]
    assert offsets
    yield "question-answering: where", [answer[0]["start"], answer[0]["end"]], [span[0][0], span[1][1]]
    many = QuestionRequest(Question("who sat", "the cat sat on a mat. " * 20), {"top_k": 3})
    yield "question-answering: windows", len(reader.predict([many])[0]), 3


def refused(folder: Path, words: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """What our predictor does not do, and says why."""
    config = transformers.BertConfig(**BERT)
    masked = save(folder / "masked", "BertForMaskedLM", config, words=words)
    model = loaded(masked)
    yield "weights of another task", lambda: loaded(masked, task="text-classification")
    yield "a parameter that is not known", lambda: model.predict([TextRequest("a [MASK]", {"custom_generate": "here"})])
    yield "a parameter of another type", lambda: model.predict([TextRequest("a [MASK]", {"top_k": "all"})])
    yield "a value that the pipeline refuses", lambda: model.predict([TextRequest("a [MASK]", {"targets": []})])
    yield "no mask", lambda: model.predict(["the cat"])
    yield "too long", lambda: model.predict(["the [MASK] " + "cat " * 60])
    broken = save(folder / "broken", "BertForMaskedLM", config, words=words)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    yield "truncated weights", lambda: loaded(broken)
    unknown = save(folder / "unknown", "BertForMaskedLM", config, words=words)
    told = {**json.loads((unknown / "config.json").read_text()), "model_type": "newbert"}
    (unknown / "config.json").write_text(json.dumps({**told, "transformers_version": "99.1.0"}))
    yield "a model of a later version", lambda: loaded(unknown)
    (unknown / "config.json").write_text(json.dumps({**told, "auto_map": {"AutoModelForMaskedLM": "code.Model"}}))
    (unknown / "code.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    yield "code of the folder", lambda: loaded(unknown)
    torch.save(transformers.BertForMaskedLM(config).state_dict(), masked / "pytorch_model.bin")
    yield "pickled, and named", lambda: type(loaded(masked, file="pytorch_model.bin")).__name__
    torch.save({"weight": Runs()}, masked / "pytorch_model.bin")
    yield "pickled code", lambda: loaded(masked, file="pytorch_model.bin")
    yield "the code has not run", lambda: sorted(path.name for path in folder.glob("ran"))


def broken(folder: Path, words: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Folders in which something is missing or wrong."""

    def changed(case: str, name: str, content: bytes | None, **told: object) -> tuple[str, Callable[[], object]]:
        place = save(folder / case, "BertForMaskedLM", transformers.BertConfig(**BERT), words=words)
        (place / name).unlink(missing_ok=True)
        if content is not None:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(content)
        return case, lambda: loaded(place, **told)

    def modules(*kinds: str, path: str = "") -> bytes:
        return json.dumps([{"type": f"x.{kind}", "path": path if kind == "Pooling" else ""} for kind in kinds]).encode()

    weights = "model.safetensors"
    yield changed("no config", "config.json", None)
    yield changed("no JSON", "config.json", b"{")
    yield changed("no weights", weights, None)
    yield changed("an empty file", weights, b"")
    yield changed("git-lfs", weights, b"version https://git-lfs.github.com/spec/v1\n")
    yield changed("an archive", weights, b"PK\x03\x04")
    yield changed("no such task", "more", b"", task="poetry")
    yield changed("another module", "modules.json", modules("Transformer", "LSTM"))
    yield changed("a way out", "modules.json", modules("Transformer", "Pooling", path="../.."))
    case, act = changed("no such pooling", "1_Pooling/config.json", b'{"pooling_mode": "weightedmean"}')
    (folder / case / "modules.json").write_bytes(modules("Transformer", "Pooling", path="1_Pooling"))
    yield case, act
    yield "a model of the Hub", lambda: transformers.utils.hub.constants.HF_HUB_OFFLINE
    case, act = changed("no tokenizer", "tokenizer.json", None)
    (folder / case / "tokenizer_config.json").unlink()
    yield case, act


class Runs:
    """Pickled, it is a call."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("exit 1",)


def main() -> None:
    """All cases, a line each."""
    folder = Path(sys.argv[1])
    words = tokenizer(folder / "words")
    for make in (pipelines, images, removed):
        for case, ours, theirs in make(folder, words):
            sys.stdout.write(json.dumps({"case": case, "ours": ours, "theirs": theirs}, default=float) + "\n")
    for case, act in chain(refused(folder, words), broken(folder, words)):
        try:
            said = act()
        except ArgosyError as error:
            said = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps({"case": case, "said": said}, default=str) + "\n")


if __name__ == "__main__":
    main()
