"""A recipe is completed with defaults, and each mistake in one is answered in one sentence."""

from pathlib import Path

import pytest

from visionmtl import recipe
from visionmtl.errors import UsageError
from visionmtl.recipe import yamlfile

MISTAKES = [
    ("training.epoch=3", "unknown key 'training.epoch'. Did you mean 'training.epochs'?"),
    ("epochs=3", "unknown key 'epochs'. Did you mean 'training.epochs'?"),
    ("traning.epochs=3", "unknown key 'traning'. Did you mean 'training'?"),
    ("data.augmentation.flop=true", "Did you mean 'data.augmentation.flip'?"),
    ("training.epochs=0", "'training.epochs' is 0, expected a number greater than or equal to 1."),
    ("training.epochs=ten", "'training.epochs' is \"ten\", expected a whole number."),
    ("training.epochs=2.5", "'training.epochs' is 2.5, expected a whole number."),
    ("training.epochs=null", "'training.epochs' is null, expected a whole number."),
    ("training.epochs=true", "'training.epochs' is true, expected a whole number."),
    ("training.checkpoint.keep=true", "'training.checkpoint.keep' is true, expected a whole number."),
    ("training.clip_norm=false", "'training.clip_norm' is false, expected a number."),
    ("training.profile=3", "'training.profile' is 3, expected a list, as [first, second]."),
    ("training.log=tensorboard", "'training.log' is \"tensorboard\", expected a list, as [first, second]."),
    ("training.learning_rate=-1e-3", "'training.learning_rate' is -0.001, expected a number greater than 0."),
    ("training.learning_rate=.nan", "expected a finite number."),
    ("training.optimizer=adamx", "expected 'adamw', 'sgd' or 'adam'. Did you mean 'adam"),
    ("data.resize=strech", "expected 'stretch' or 'letterbox'. Did you mean 'stretch'?"),
    ("data.image_size=[100, 130]", "multiples of 32, the largest stride of a backbone; the nearest size is [96, 128]."),
    ("data.image_size=128", "'data.image_size' is 128, expected a list of two whole numbers, [height, width]."),
    (
        "data.augmentation.flip=maybe",
        "'data.augmentation.flip' is \"maybe\", expected true, false or a probability from 0 to 1.",
    ),
    ("data.augmentation.scale=[2, 1]", "is [2, 1], expected [low, high] within 0.05 to 20, as [0.75, 1.5]."),
    ("data.augmentation.rotate=200", "'data.augmentation.rotate' is 200, expected degrees from 0 to 180."),
    ("data.sampling={method: curriculum, floor: 2}", "'data.sampling.floor' is 2, expected a number from 0 to 1."),
    ("data.sampling=unifrom", "Did you mean 'uniform'?"),
    ("data.cache=maybe", "'data.cache' is \"maybe\", expected true or false."),
    ("data.options=3", "'data.options' is 3, expected a mapping of keys to values."),
    ("data=coco", "'data' is \"coco\", expected a mapping of keys to values."),
    ("tasks=3", "'tasks' is 3, expected a mapping of keys to values."),
    ("tasks=[]", "'tasks' is [], expected at least one task, or null for all."),
    ("model.weights=[1]", "'model.weights' is [1], expected a name."),
    (
        "training.scale_learning_rate=linear",
        "'training': expected base_batch_size, the images that learning_rate was chosen for, beside its scaling: ",
    ),
    ("training.epochs.most=3", "and has no keys."),
    ("training.epochs=[", "'training.epochs=[' on the command line, line 1: not valid YAML"),
    ("epochs", "'epochs' is not of the form key=value, such as training.epochs=5."),
    ("data.options={train:48}", "there is no space after the colon of 'train:48', which wants one, as in 'train: 48'."),
    ("data.options={train: 48, test:16}", "no space after the colon of 'test:16'"),
    ("data.options=train:48", "expected a mapping of keys to values, with a space after each colon, as {train: 48}."),
    ("training.epochs=1:30", "'training.epochs' is \"1:30\", expected a whole number."),
    ("training.epochs=2024-01-01", "'training.epochs' is \"2024-01-01\", expected a whole number."),
    ("data.options={[1, 2]: 3}", "line 1: not valid YAML: a key is no name."),
    ("tasks=&tasks [*tasks]", "line 1: not valid YAML: a value holds itself."),
    ("data.options=!!set {train, test}", "line 1: not valid YAML: a value has the tag tag:yaml.org,2002:set."),
    ("training.seed=4294967296", "'training.seed' is 4294967296, expected a number less than 4294967296."),
    ("training.profile=[]", "'training.profile' is [], expected a list, as [first, second]."),
    ("training.verbose=99999999999999999999", "'training.verbose' is 99999999999999999999, expected a smaller number."),
    (
        "data.resize=yes",
        "'data.resize' is true, expected 'stretch' or 'letterbox'; YAML reads yes, no, on and off as true and false, "
        "unless in quotes.",
    ),
    ("data.source=off", "'data.source' is false, expected a name; YAML reads yes, no, on and off as true and false"),
    ("tasks={no: {}}", "false, expected a name; YAML reads yes, no, on and off as true and false, unless in quotes."),
    ("training.verbose=yes", "'training.verbose' is true, expected 0, 1 or 2"),
    ("training.verbose='1'", "'training.verbose' is \"1\", expected 0, 1 or 2, a number without quotes."),
    ("training.profile=[on, 20]", "'training.profile.0' is true, expected a whole number."),
    ("training.sizes={0: on}", "'training.sizes.0' is true, expected a number."),
    ("model.start={a: no}", "'model.start': expected a run folder or .keras file, or one a task, as {task: run}."),
    ("model.sharing={1: 2}", "'model.sharing.1' is 1, expected a name."),
    ("name=streets/night", "'name' is \"streets/night\", expected a name without slashes."),
    ("name=' '", "'name' is \" \", expected a name without slashes."),
    ("training.epochs=!!int many", "not valid YAML: unreadable."),
    ("data.sources.one={source: garments, tasks: [[1]]}", "tasks.[1]' is [1], expected a name."),
]


@pytest.mark.parametrize(("override", "sentence"), MISTAKES, ids=[override for override, _ in MISTAKES])
def test_a_mistake_on_the_command_line_is_one_sentence(override, sentence):
    with pytest.raises(UsageError) as caught:
        recipe.load("garments", [override])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_override_below_a_name_that_is_none_is_told(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("data: {source: garments}\ntasks: [yes, detection]\n")
    with pytest.raises(UsageError, match="'tasks' holds true, expected names; YAML reads yes.* unless in quotes"):
        recipe.load(path, ["tasks.detection.weight=2"])


def read_as(given, kept):
    """Pairs of what was given and what became of it, in all that is within both."""
    if isinstance(given, dict | list) and isinstance(kept, dict | list | tuple) and len(given) == len(kept):
        for pair in zip(given, kept, strict=True):
            yield from read_as(*pair)
        if isinstance(given, dict) and isinstance(kept, dict):
            yield from read_as(list(given.values()), list(kept.values()))
    else:
        yield given, kept


@pytest.mark.parametrize("given", [True, [True, True], [True], {0: True}, {"a": True}, {False: 1}], ids=str)
def test_no_key_takes_a_flag_for_a_number(given):
    """YAML reads yes and on as true, which Python takes for 1."""
    names = [key.name for key in recipe.each_key() if "<name>" not in key.name]
    assert len(names) > 50
    for name in set(names) - {"data.augmentation.flip"}:  # whose true is a half, as it says
        try:
            kept = recipe.changed(recipe.load("garments"), {name: given})
        except UsageError:
            continue
        for part in name.split("."):
            kept = getattr(kept, part)
        assert all(type(now) is bool for before, now in read_as(given, kept) if type(before) is bool), name


FILES = [
    ("data:\n  source: coco\n  imagesize: [64, 64]\n", "line 3: unknown key 'data.imagesize'. Did you mean"),
    ("data: {source: coco}\ntraining:\n  seed: 1\n  epochs: many\n", "line 4: 'training.epochs' is \"many\""),
    ("data:\n  batch_size: 4\n", "line 1: 'data': expected either source, the one to read, or sources"),
    ("training: {epochs: 2}\n", "'data' is missing."),
    ("data: {source: coco}\ndata: {source: garments}\n", "line 2: not valid YAML: the key 'data' is there twice."),
    ("data: [unclosed\n", "not valid YAML"),
    ("- data\n", "expected a mapping of sections"),
    ("", "expected a mapping of sections"),
    (b"\xff\xfe\x00", "it is not UTF-8 text"),
]


@pytest.mark.parametrize(("content", "sentence"), FILES)
def test_a_mistake_in_a_file_names_the_file_and_the_line(tmp_path, content, sentence):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as caught:
        recipe.load(path)
    assert "mine.yaml" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_misspelt_built_in_recipe_suggests_the_nearest():
    with pytest.raises(UsageError, match="Unknown recipe 'garmets'. Did you mean 'garments'"):
        recipe.load("garmets")


def test_a_missing_file_is_told_apart_from_a_built_in_name():
    with pytest.raises(UsageError, match="There is no recipe file 'nowhere/mine.yaml'"):
        recipe.load("nowhere/mine.yaml")


def test_a_folder_is_not_a_recipe(tmp_path):
    with pytest.raises(UsageError, match="is a folder; give a recipe file"):
        recipe.load(tmp_path)


@pytest.mark.parametrize("name", recipe.built_in())
def test_each_built_in_recipe_reads_and_survives_being_written(name, tmp_path):
    first = recipe.load(name)
    copy = tmp_path / "recipe.yaml"
    copy.write_text(first.dump())
    assert recipe.load(copy) == first
    assert first.name == name


def test_the_name_of_a_run_is_the_file_s_unless_given(tmp_path):
    path = tmp_path / "streets.yaml"
    path.write_text("data: {source: coco}\n")
    assert recipe.load(path).name == "streets"
    assert recipe.load(path, ["name=roads"]).name == "roads"


def test_shorthands_become_the_mappings_they_mean():
    assert recipe.load("garments", ["tasks=[detection, segmentation]"]).tasks == {"detection": {}, "segmentation": {}}
    assert recipe.load("garments", ["model.sharing=hard"]).model.sharing.options == {}
    for given, parts in (("backbone", ["backbone"]), ("backbone,neck", ["backbone", "neck"]), ("[P3]", ["P3"])):
        assert recipe.load("garments", [f"training.freeze={given}"]).training.freeze == parts
    partial = recipe.load("garments", ["model.sharing=hard", "model.sharing.until=P3"]).model.sharing
    assert (partial.name, partial.options) == ("hard", {"until": "P3"})


def test_a_later_override_of_one_task_keeps_the_other_tasks():
    tasks = recipe.load("garments", ["tasks=[detection, segmentation]", "tasks.detection.label_smoothing=0.1"]).tasks
    assert tasks == {"detection": {"label_smoothing": 0.1}, "segmentation": {}}


def test_an_override_leaves_the_keys_beside_it_alone(tmp_path):
    copy = tmp_path / "recipe.yaml"
    copy.write_text(recipe.load("garments").dump())
    assert recipe.load(copy, ["data.batch_size=4"]).data == recipe.load("garments", ["data.batch_size=4"]).data


def test_hyperparameters_of_the_balancer_stand_beside_its_method():
    balancing = recipe.load("garments", ["balancing.method=cagrad", "balancing.c=4e-1"]).balancing
    assert (balancing.method, balancing.options) == ("cagrad", {"c": 0.4})


def test_numbers_are_read_as_those_who_write_them_mean_them():
    read = {
        text: yamlfile.parse(text, "").value for text in ("010", "1e-3", "-.5", "5.", "0x10", "1_000", "0", "1.2.3")
    }
    assert read == {
        "010": "010",
        "1e-3": 0.001,
        "-.5": -0.5,
        "5.": 5.0,
        "0x10": 16,
        "1_000": 1000,
        "0": 0,
        "1.2.3": "1.2.3",
    }
    assert yamlfile.parse("{<<: {a: 1}, b: 'x:y', 'c:d': }", "").value == {"a": 1, "b": "x:y", "c:d": None}


def test_weights_may_lie_in_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert recipe.load("garments", ["model.weights=~/a.keras"]).model.weights == "/home/someone/a.keras"
    assert recipe.load("garments", ["model.weights=imagenet"]).model.weights == "imagenet"


def test_an_optional_section_can_be_switched_off():
    assert recipe.load("garments", ["data.augmentation=null"]).data.augmentation is None


def test_the_folder_of_the_data_is_resolved_where_the_command_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recipe.load("camvid", ["data.path=here"]).data.path == str(Path(tmp_path, "here"))


def test_every_key_is_listed_with_what_it_means():
    listed = {key.name: key for key in recipe.each_key()}
    assert listed["training.epochs"].default == "20"
    assert listed["data.augmentation.flip"].default == "0.5"
    assert all(key.description for key in listed.values())
