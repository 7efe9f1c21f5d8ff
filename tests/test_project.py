"""argosy.toml: what it says, what is refused and where the fault is shown."""

import datetime
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from argosy import project
from argosy.contract import Variable
from argosy.errors import ProjectError
from argosy.project import Project
from argosy.project_file import Waiver
from argosy.serving import settings

SAVED = '[model]\nflavor = "onnx"\nartifacts = "saved"\n'
LEAST = '[model]\npredictor = "predictor:Model"\n'
WAIVER = '[[check.waivers]]\nclause = "image-root"\nreason = "not before"\nuntil = 2027-03-01\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "predictor.py").write_text("class Model: ...\n")
    return tmp_path


def load(folder: Path, text: str = LEAST) -> Project:
    (folder / "argosy.toml").write_text(text)
    return project.load(folder)


def test_only_the_predictor_is_required(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.root == folder
    assert loaded.artifacts_dir is None
    assert loaded.dependencies == []
    assert loaded.program_files() == [Path("predictor.py")]


def test_a_relative_folder_becomes_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder)
    monkeypatch.chdir(folder)
    assert project.load(Path()).root == folder


def test_the_server_is_told_what_the_file_says(folder: Path) -> None:
    loaded = load(folder, LEAST + '[serving]\nworkers = 2\ncontent_types = ["text/csv"]\ndeadline_s = 7.5\n')
    told = loaded.server_environment()
    assert told[Variable.PREDICTOR] == "predictor:Model"
    assert told[Variable.WORKERS] == "2"
    assert told[Variable.CONTENT_TYPES] == "text/csv"
    assert told[Variable.DEADLINE_S] == "7.5"
    assert set(told) <= set(Variable)


def test_every_key_of_the_server_reaches_its_variable(folder: Path) -> None:
    (folder / "samples").mkdir()
    (folder / "samples/one.json").write_text("[[1]]")
    (folder / "rows.csv").write_text("1\n")
    text = """[serving]
        stream_deadline_s = 30
        concurrency = 8
        warm_up = ["samples/one.json", "rows.csv"]
        sessions = true
        log_invocations = "all"
        log_exceptions = "none"
        emf_namespace = "Churn/Model"
        [serving.batching]
        max_batch_size = 16
        max_delay_ms = 2.5
    """
    loaded = load(folder, LEAST + text)
    told = settings.from_environ({**loaded.server_environment(), Variable.PROGRAM_DIR: "/opt/program"})
    assert (told.streaming.deadline_s, told.streaming.concurrency) == (30, 8)
    assert told.warm_up == (Path("/opt/program/samples/one.json"), Path("/opt/program/rows.csv"))
    assert told.session_ttl_s == 1200
    assert told.logs == settings.Logs("all", "Churn/Model", "none")
    assert (told.batching.max_batch_size, told.batching.max_delay_ms) == (16, 2.5)
    assert loaded.program_files() == [Path("predictor.py"), Path("rows.csv"), Path("samples/one.json")]


def test_the_file_and_the_server_have_the_same_defaults(folder: Path) -> None:
    told = settings.from_environ(load(folder).server_environment())
    alone = settings.from_environ({Variable.PREDICTOR: "predictor:Model"})
    assert told == alone


def test_the_labels_are_those_that_the_file_asks_for(folder: Path) -> None:
    assert load(folder).labels() == {}
    assert load(folder, LEAST + "[serving]\nbidirectional = true\nmulti_model = true\n").labels() == {
        "com.amazonaws.sagemaker.capabilities.bidirectional-streaming": "true",
        "com.amazonaws.sagemaker.capabilities.multi-models": "true",
    }


SCRIPT = '[model]\ninference = "{}"\n'


def test_an_inference_script_takes_the_predictors_place(folder: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code/inference.py").write_text("")
    loaded = load(folder, SCRIPT.format("./code/inference.py"))
    told = loaded.server_environment()
    assert Variable.PREDICTOR not in told
    assert told[Variable.INFERENCE_SCRIPT] == "code/inference.py"
    assert Path("code/inference.py") in loaded.program_files()
    excluded = load(folder, SCRIPT.format("code/inference.py") + '[image]\nexclude = ["code"]\n')
    with pytest.raises(ProjectError, match=r"leaves out the file that `model\.inference` names"):
        excluded.program_files()


def test_an_inference_script_may_lie_in_the_artifacts(folder: Path) -> None:
    (folder / "predictor.py").unlink()
    (folder / "model/code").mkdir(parents=True)
    (folder / "model/code/inference.py").write_text("")
    text = SCRIPT.format("model/code/inference.py") + 'artifacts = "model/"\n'
    loaded = load(folder, text)
    assert loaded.server_environment()[Variable.INFERENCE_SCRIPT] == "code/inference.py"
    assert loaded.program_files() == [Path("model/code/inference.py")]
    (folder / "code").mkdir()
    (folder / "code/inference.py").write_text("")
    with pytest.raises(ProjectError, match="the program has one of the same path"):
        load(folder, text)


def test_a_saved_model_is_served_by_the_predictor_of_its_flavor(folder: Path) -> None:
    (folder / "predictor.py").unlink()
    (folder / "saved/deep").mkdir(parents=True)
    (folder / "saved/deep/a.onnx").write_bytes(b"")
    loaded = load(folder, SAVED)
    assert loaded.server_environment()[Variable.PREDICTOR] == "argosy.flavors.onnx:OnnxModel"
    assert Variable.FLAVOR_OPTIONS not in loaded.server_environment()
    assert loaded.program_files() == []
    (folder / "net.py").write_text("")
    options = """file = "./deep/a.onnx"
        [model.options]
        method = "predict_proba"
        class = "net:Net"
        arguments = { hidden = 32, deep = { rate = 0.5, names = ["é"] } }
        inputs = [{ name = "x", dtype = "float32", shape = ["rows", 4] }]
        outputs = ["p"]
        row_wise = false
        task = "feature-extraction"
        signature = "serving_default"
        trusted = ["a.B"]
    """
    loaded = load(folder, SAVED + options)
    assert loaded.program_files() == [Path("net.py")]
    assert loaded.server_environment()[Variable.FLAVOR_OPTIONS] == (
        '{"arguments":{"deep":{"names":["é"],"rate":0.5},"hidden":32},"class":"net:Net","file":"deep/a.onnx",'
        '"inputs":[{"dtype":"float32","name":"x","shape":["rows",4]}],"method":"predict_proba","outputs":["p"],'
        '"row_wise":false,"signature":"serving_default","task":"feature-extraction","trusted":["a.B"]}'
    )
    with pytest.raises(ProjectError, match=r"no file of the project for `model\.options\.class`"):
        load(folder, SAVED + options + '[image]\nexclude = ["net.py"]\n').program_files()


@pytest.mark.parametrize("name", ["/etc/passwd", "a:b.json"])
def test_a_sample_is_a_path_in_the_project(folder: Path, name: str) -> None:
    (folder / "a:b.json").write_text("")
    with pytest.raises(ProjectError, match=r"`serving\.warm_up`"):
        load(folder, LEAST + f'[serving]\nwarm_up = ["{name}"]\n')


def test_what_the_file_leaves_open_is_not_told(folder: Path) -> None:
    told = load(folder).server_environment()
    assert Variable.CONTENT_TYPES not in told
    assert Variable.DEADLINE_S not in told


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[model", "argosy.toml: not a TOML file", None),
        ("", "argosy.toml: `the file`: object missing required field `model`", None),
        ("[model]\n", "`model` has to name one of `predictor`, `inference` and `flavor`: got none", None),
        (LEAST + 'inference = "predictor.py"\n', "got `predictor` and `inference`", None),
        (LEAST + 'flavor = "onnx"\n', "got `predictor` and `flavor`", None),
        ('[model]\nflavor = "onnx"\n', "`model.flavor` needs the files of the model: want artifacts", None),
        ('[model]\nflavor = "onyx"\n', "argosy.toml:2: `model.flavor`", None),
        (LEAST + 'file = "a.onnx"\n', "`model.file` is for a flavor: got `predictor` without one", None),
        (LEAST + '[model.options]\nmethod = "predict"\n', "`model.options` is for a flavor", None),
        (SAVED + 'file = "b.onnx"\n', "`model.file` names nothing in the artifacts: got `b.onnx`", None),
        (SAVED + 'file = "../argosy.toml"\n', "`model.file` leads out of the artifacts", None),
        (SAVED + 'file = "/etc/passwd"\n', "`model.file` leads out of the artifacts", None),
        (SAVED + '[model.options]\nclas = "a:B"\n', "toml:5: `model.options.clas`", "did you mean `class`?"),
        (SAVED + '[model.options]\nclass = "net:Net"\n', "`model.options.class` names a module that is not", None),
        (SAVED + '[model.options]\nmethod = "a.b"\n', "toml:5: `model.options.method`", None),
        (SAVED + '[model.options.arguments]\nrate = inf\n', "`model.options.arguments.rate` cannot be told", None),
        (SAVED + '[model.options.arguments.deep]\nday = [2027-03-01]\n', "`model.options.arguments.deep.day`", None),
        (SAVED + '[[model.options.inputs]]\nname = "x"\ndtype = "float"\nshape = []\n', "inputs[0].dtype`", None),
        ('[model]\ninference = "inference.py"\n', "`model.inference` names a file that is not there", None),
        ('[model]\ninference = "/bin/sh"\n', "`model.inference` leads out of the project folder", None),
        ('[model]\ninference = "argosy.toml"\n', "got `argosy.toml`, want a name as in `inference.py`", None),
        (LEAST + '[serving]\nwarm_up = ["one.json"]\n', "`serving.warm_up` names a file that is not there", None),
        (LEAST + '[serving]\nlog_invocations = "some"\n', "argosy.toml:4: `serving.log_invocations`", None),
        (LEAST + '[serving]\nemf_namespace = ":x"\n', "argosy.toml:4: `serving.emf_namespace`", None),
        (LEAST + "[serving]\nsession_ttl_s = 0\n", "argosy.toml:4: `serving.session_ttl_s`", None),
        (LEAST + "[serving.batching]\nmax_batch_size = 0\n", "argosy.toml:4: `serving.batching.max_batch_size`", None),
        (LEAST + "[serving.batching]\nmax_size = 1\n", "serving.batching.max_size", "did you mean `max_batch_size`?"),
        ('[model]\npredictor = "predictor"\n', "argosy.toml:2: `model.predictor`", None),
        ('[model]\npredictor = 3\n', "argosy.toml:2: `model.predictor`", None),
        (LEAST + "[serving]\n\nworker = 2\n", "argosy.toml:5: `serving.worker`", "did you mean `workers`?"),
        (LEAST + "[serving]\nworkers = -1\n", "argosy.toml:4: `serving.workers`", None),
        (LEAST + "[serving]\ncontent_types = []\n", "argosy.toml:4: `serving.content_types`", None),
        (LEAST + "[serving]\ncontent_types = [3]\n", "argosy.toml:4: `serving.content_types", None),
        (LEAST + "[srving]\n", "`srving`", "did you mean `serving`?"),
        (LEAST + "[marketplace]\nnam = 'x'\n", "argosy.toml:4: `marketplace.nam`", "did you mean `name`?"),
        (LEAST + "[marketplace.listing]\ntitel = 'x'\n", "`marketplace.listing.titel`", "did you mean `title`?"),
        (LEAST + "[marketplace.pricing]\nmodel = 1\n", "argosy.toml:4: `marketplace.pricing.model`", None),
        (LEAST + "[marketplace.pricing]\nbatch = {x = true}\n", "argosy.toml:4: `marketplace.pricing.batch", None),
        (LEAST + "[[marketplace.listing.resources]]\nlink = 'x'\n", "resources[0].link`", "known here: text, url"),
        (LEAST + "[[marketplace.usage.output.parameters]]\nname = 1\n", "toml:4: `marketplace.usage.output", None),
        (LEAST + "[image]\nzzz = 1\n", "argosy.toml:4: `image.zzz`", "known here: base, python"),
        (LEAST + '[image]\npython = "2.7"\n', "argosy.toml:4: `image.python`", None),
        (LEAST + 'artifacts = "model"\n', "`model.artifacts` names a folder that is not there", None),
        (LEAST + 'artifacts = "../"\n', "`model.artifacts` leads out of the project folder", None),
        (LEAST + '[image]\ndependencies = "requirements.txt"\n', "`image.dependencies` names a file or folder", None),
        (LEAST + '[image]\nenvironment = {ARGOSY_QUEUE = "1"}\n', "`image.environment` sets what the other", None),
        (LEAST + '[image.environment]\nPATH = "/bin"\n', "`image.environment` sets `PATH`", "leave it out"),
        (LEAST + '[image.environment]\n"A=B" = "c"\n', "'A=B'", None),
        (LEAST + '[image.environment]\n"" = "c"\n', "got ''", None),
        (LEAST + '[image.environment]\n"a\\nb" = "c"\n', "a name that no variable can have", None),
        (LEAST + '[image.environment]\nA = "b\\nc"\n', "several lines", None),
        (LEAST + '[image.environment]\nA = "b\\u0000"\n', "NUL", None),
        (LEAST + '[serving]\ncontent_types = ["csv"]\n', "got `csv`, want type/subtype", None),
        (LEAST + '[serving]\ncontent_types = ["*/*"]\n', "got `*/*`", None),
        (LEAST + '[image]\ninclude = ["/etc/passwd"]\n', "`image.include`", None),
        (LEAST + '[image]\ninclude = ["**.py"]\n', "got `**.py`", None),
        (LEAST + '[image]\ninclude = [""]\n', "got ``", None),
        (LEAST + '[image]\nexclude = ["../x"]\n', "`image.exclude`", None),
        ('[model]\npredictor = "other:Model"\n', "names a module that is not in the project", None),
        (LEAST + WAIVER + '[[check.waivers]]\nreson = ""\n', "toml:8: `check.waivers[1].reson`", "mean `reason`?"),
        (LEAST + '[[check.waivers]]\nclause = "x"\nreason = "y"\n', "toml:3: `check.waivers[0]`: object missing", None),
        (LEAST + WAIVER.replace("not before", ""), "toml:5: `check.waivers[0].reason`", None),
        (LEAST + WAIVER.replace("2027-03-01", '"soon"'), "toml:6: `check.waivers[0].until`", None),
        (LEAST + WAIVER.replace("image-root", "image root"), "toml:4: `check.waivers[0].clause`", None),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(folder: Path, text: str, message: str, hint: str | None) -> None:
    (folder / "saved").mkdir()
    (folder / "saved/a.onnx").write_bytes(b"")
    with pytest.raises(ProjectError) as caught:
        load(folder, text)
    assert message in str(caught.value)
    assert str(folder) in caught.value.message
    assert hint is None or hint in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        "[marketplace]\n",
        "[marketplace]\nname = '-'\nregions = ['moon']\n",
        "[marketplace.pricing]\nfree_trial_days = 900\n",
    ],
)
def test_a_listing_in_the_making_is_no_fault(folder: Path, text: str) -> None:
    assert load(folder, LEAST + text).marketplace is not None
    assert load(folder).marketplace is None


def test_a_missing_file_comes_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        project.load(tmp_path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("printf ")


def test_the_command_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "my model; $HOME"
    folder.mkdir()
    with pytest.raises(ProjectError) as caught:
        project.load(folder)
    subprocess.run(["sh", "-c", str(caught.value.hint)], check=True)
    assert "predictor:MyModel" in (folder / "argosy.toml").read_text()


def test_a_file_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "argosy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="cannot be read"):
        project.load(folder)


def test_only_what_is_meant_enters_the_image(folder: Path) -> None:
    for name in (".git/x.py", "tests/test_x.py", "__pycache__/y.py", "venv-mine/lib/z.py", "pkg/a.py", "build/b.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / "venv-mine/pyvenv.cfg").write_text("")
    (folder / "model").mkdir()
    (folder / "model/code.py").write_text("")
    (folder / "secret.txt").write_text("")
    loaded = load(folder, LEAST + 'artifacts = "model"\n')
    assert loaded.program_files() == [Path("pkg/a.py"), Path("predictor.py")]
    loaded = load(folder, LEAST + '[image]\nexclude = ["pkg"]\n')
    assert Path("pkg/a.py") not in loaded.program_files()


def test_a_whole_path_names_any_file(folder: Path) -> None:
    for name in ("tests/lookup.json", ".settings/a.json", "build/b.json", "pkg/c.json"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("")
    text = '[image]\ninclude = ["*.py", "tests/lookup.json", ".settings/a.json", "./build/b.json", "**/c.*"]\n'
    files = [path.as_posix() for path in load(folder, LEAST + text).program_files()]
    assert files == [".settings/a.json", "build/b.json", "pkg/c.json", "predictor.py", "tests/lookup.json"]
    loaded = load(folder, LEAST + text + 'exclude = ["build"]\n')
    with pytest.raises(ProjectError, match=r"build/b\.json"):
        loaded.program_files()


@pytest.mark.parametrize("pattern", ["data.json", "tests/*.json", "*.txt", "tests"])
def test_a_pattern_that_matches_nothing_is_refused(folder: Path, pattern: str) -> None:
    (folder / "tests").mkdir()
    (folder / "tests/x.json").write_text("")
    with pytest.raises(ProjectError, match="names no file of the project that may") as caught:
        load(folder, LEAST + f'[image]\ninclude = ["*.py", "{pattern}"]\n').program_files()
    assert f"`{pattern}`" in caught.value.message


@pytest.mark.parametrize(
    ("predictor", "image"),
    [
        ("predictor:Model", 'exclude = ["predictor.py"]'),
        ("pkg.inner:Model", 'exclude = ["pkg"]'),
        ("pkg.inner:Model", 'include = ["predictor.py", "pkg/inner.txt"]'),
    ],
)
def test_the_predictors_own_module_has_to_enter(folder: Path, predictor: str, image: str) -> None:
    (folder / "pkg").mkdir()
    (folder / "pkg/inner.py").write_text("")
    (folder / "pkg/inner.txt").write_text("")
    text = f'[model]\npredictor = "{predictor}"\n'
    load(folder, text).program_files()
    with pytest.raises(ProjectError, match=r"no file of the project for `model\.predictor`"):
        load(folder, text + f"[image]\n{image}\n").program_files()


def test_a_link_to_nothing_is_refused(folder: Path) -> None:
    (folder / "gone.py").symlink_to("nowhere.py")
    with pytest.raises(ProjectError, match="a link leads to nothing"):
        load(folder).program_files()
    assert load(folder, LEAST + '[image]\nexclude = ["gone.py"]\n').program_files() == [Path("predictor.py")]


def test_a_name_that_is_not_utf_8_is_refused(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).write_text("")
    with pytest.raises(ProjectError, match="not UTF-8"):
        load(folder).program_files()


def test_a_folder_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "closed").mkdir()
    loaded = load(folder)
    excluding = load(folder, LEAST + '[image]\nexclude = ["closed"]\n')
    for above in [folder, *folder.parents[:-2]]:
        above.chmod(0o755)
    (folder / "closed").chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ProjectError, match="cannot be read") as caught:
            loaded.program_files()
        assert excluding.program_files() == [Path("predictor.py")]
    finally:
        os.seteuid(user)
        (folder / "closed").chmod(0o755)
    assert caught.value.where == str(folder / "closed")


def test_a_link_out_of_the_project_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "key.py"
    outside.write_text("")
    (folder / "key.py").symlink_to(outside)
    with pytest.raises(ProjectError, match="leads out"):
        load(folder).program_files()


def test_an_image_without_a_file_of_the_project_is_refused(folder: Path) -> None:
    loaded = load(folder, LEAST + "[image]\ninclude = []\n")
    with pytest.raises(ProjectError, match="no file of the project"):
        loaded.program_files()


def test_the_schema_knows_every_table(folder: Path) -> None:
    fields = project.schema()["$defs"]
    assert set(tomllib.loads(LEAST)) <= set(fields["ProjectFile"]["properties"])
    assert fields["ProjectFile"]["additionalProperties"] is False
    assert fields["ProjectFile"]["required"] == ["model"]


@pytest.mark.parametrize("name", ["libGL1", "a", "--option", "lib=", "lib=a", "lib one", "lib=1 || true"])
def test_a_system_package_is_named_as_debian_names_it(folder: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="system_packages"):
        load(folder, f"{LEAST}[image]\nsystem_packages = [{name!r}]\n")


def test_a_system_package_may_have_a_version(folder: Path) -> None:
    names = ("libgomp1", "libstdc++6=12.2.0-14+deb12u1", "vim=2:9.0.1378-2")
    assert load(folder, f"{LEAST}[image]\nsystem_packages = {list(names)}\n").image.system_packages == names


def test_waivers_are_in_the_projects_file_or_in_one_of_their_own(folder: Path) -> None:
    (waiver,) = load(folder, LEAST + WAIVER).check.waivers
    assert waiver == Waiver("image-root", "not before", datetime.date(2027, 3, 1))
    alone = folder / "waivers.toml"
    alone.write_text(WAIVER)
    assert project.load_waivers(alone) == (waiver,)
    assert load(folder).check.waivers == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[check", "not a TOML file"),
        (LEAST + WAIVER, "unknown field `model`\n\nhint: known here: check"),
        ("[check]\nwaiver = 1\n", "did you mean `waivers`?"),
        (None, "cannot be read"),
    ],
)
def test_a_file_of_waivers_has_nothing_else(folder: Path, text: str | None, message: str) -> None:
    path = folder / "waivers.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ProjectError) as caught:
        project.load_waivers(path)
    assert message in str(caught.value)
    assert str(path) in caught.value.message
