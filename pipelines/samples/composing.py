"""Images of several pictures, or of one with something over it: how they are put together, sample by sample."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from pipelines.contract import Tree
from pipelines.errors import DataError
from pipelines.kinds.kind import Kind
from pipelines.pixels import geometry
from pipelines.pixels.augmentation import Augmentation
from pipelines.pixels.windows import Cover
from pipelines.samples.memory import Reader
from pipelines.samples.pasting import paste
from pipelines.samples.placing import place

Part = dict[str, Any]  # of a picture in place: image, maps and rows (what is no map) by task, weights


def usable(kinds: Iterable[Kind], augmentation: Augmentation) -> Augmentation:
    """Return what of an augmentation these labels can have, and say what is set aside, and which tasks learn less.

    Raises:
        DataError: a kind of label does not say how those of several pictures are joined.
    """
    kinds = list(kinds)
    if augmentation.copy_paste and not any(kind.has_objects or kind.paints for kind in kinds):
        names = ", ".join(f"'{kind.spec.name}'" for kind in kinds)
        warnings.warn(
            f"augmentation.copy_paste is set aside: it takes objects of pictures, and {names} have no boxes or masks.",
            stacklevel=2,
        )
        augmentation = replace(augmentation, copy_paste=0.0)
    for kind in kinds if augmentation.joins else ():
        if not kind.joins:
            raise DataError(
                f"augmentation.{augmentation.joins} puts several pictures into one image, but labels of kind "
                f"'{kind.spec.kind}' (task '{kind.spec.name}') do not say how theirs are joined: expected a kind with "
                "a method join, or no mosaic, copy_paste and cut_mix."
            )
        if kind.alike and (augmentation.mosaic or augmentation.cut_mix):
            warnings.warn(
                f"Task '{kind.spec.name}' has one class an image: it learns nothing from mosaics and from cut_mix where"
                " their pictures are not all of one class.",
                stacklevel=2,
            )
    return augmentation


def knowing(drawn: Tree, reader: Reader) -> Tree:
    """Return draws with what `reader` knows of every picture that they take."""
    if not reader.known:
        return drawn
    inner = {key: knowing(value, reader) if isinstance(value, dict) else value for key, value in drawn.items()}
    if "index" not in drawn:
        return inner
    known = reader.known(tf.reshape(drawn["index"], [-1]))
    return {**inner, "known": tf.reshape(known, [-1, *drawn["index"].shape[1:]])}


@dataclass(frozen=True)
class Composer:
    """Puts the images of samples together, all in place, but that they are not mirrored yet.

    Args:
        kinds: of the labels, by task.
        augmentation: what is done.
        size: height and width of the images in pixels.
        reduced: whether pictures may be read smaller than they are placed.
        reader: reads single pictures.
        follow: as of a `Split`.
    """

    kinds: Mapping[str, Kind]
    augmentation: Augmentation
    size: tuple[int, int]
    reduced: bool
    reader: Reader
    follow: Callable | None

    def compose(self, drawn: Tree) -> Tree:
        """Return one sample, `{"image": ..., "labels": ..., "weights": ...}`, from its draws."""
        if "mosaic" in drawn:
            mosaic = drawn["mosaic"]
            part = tf.cond(mosaic["on"], lambda: self._mosaic(mosaic), lambda: self._alone(drawn))
        else:
            part = self._alone(drawn)
        for name, over in (("copy_paste", self._paste), ("cut_mix", self._cut_mix), ("erase", self._erase)):
            if name in drawn:
                part = self._over(part, over, drawn[name], drawn["index"])
        labels = {name: self._label(name, part) for name in self.kinds}
        return {"image": part["image"], "labels": labels, "weights": part["weights"]}

    def _over(self, part: Part, over: Callable, taken: Tree, index: tf.Tensor) -> Part:
        """Lay something over an image, where that was drawn; classes whose objects are hidden are gone."""

        def changed() -> Part:
            after = over(part, taken)
            return {**after, "rows": self._followed(part, after, index)}

        return tf.cond(taken["on"], changed, lambda: part)

    def _alone(self, drawn: Tree) -> Part:
        return self._picture({**drawn, "placement": drawn["placement"]._replace(flip=tf.constant(False))})

    def _mosaic(self, mosaic: Tree) -> Part:
        """Four pictures, in windows that meet in a point."""
        taken = {key: value for key, value in mosaic.items() if key != "on"}
        four = [self._picture(tf.nest.map_structure(lambda x, k=k: x[k], taken)) for k in range(4)]

        def together(*quarters: tf.Tensor) -> tf.Tensor:
            rows = [tf.concat(quarters[start : start + 2], axis=1) for start in (0, 2)]
            return tf.ensure_shape(tf.concat(rows, axis=0), [*self.size, quarters[0].shape[-1]])

        pixels = [{"image": part["image"], "maps": part["maps"]} for part in four]
        return {**tf.nest.map_structure(together, *pixels), **self._joined(four, mosaic["window"])}

    def _picture(self, drawn: Tree) -> Part:
        """Read one picture and take it, with its labels, to its place: the whole image, or a window of it."""
        index, placement, window = drawn["index"], drawn["placement"], drawn.get("window")
        sample = self.reader.read(index, *([drawn["known"]] if "known" in drawn else []))
        batch = self.reader.complete(_one(sample), index[None])
        augmentation, turned = self.augmentation, window is None and self.augmentation.turned
        if window is not None or not self.reader.placed:
            inner, size = placement, self.size
            if window is not None:
                inner = placement._replace(target=placement.target - tf.pad(window[:2], [[0, 2]]))
                size = window[2:]
            sample = place(sample, self.kinds, inner, size, turned, drawn["shape"] if self.reduced else None)
        part: Part = {"image": sample["image"], "maps": {}, "rows": {}}
        part["weights"] = {name: batch["weights"][name][0] for name in self.kinds}
        cut = augmentation.cut if augmentation.moves else None
        for name, kind in self.kinds.items():
            maps = _maps(kind, sample["labels"][name]) if kind.maps else {}
            if augmentation.moves and maps:
                zoomed = _maps(kind, kind.zoomed(_one(maps.get("", maps)), drawn["zoom"][None]))
                maps = {key: values[0] for key, values in zoomed.items()}
            labelled = part["weights"][name] > 0
            part["maps"][name] = {key: _if(labelled, values, kind.maps[key]) for key, values in maps.items()}
            if "" not in kind.maps:
                rows = batch["labels"][name]
                rows = {key: value for key, value in rows.items() if key not in kind.maps} if kind.maps else rows
                moved = kind.move(rows, _one(placement), self.size, cut, turned)
                part["rows"][name] = tf.nest.map_structure(lambda x: x[0], moved)
        if cut is not None:
            part["rows"] = self._following(batch["labels"], part, index)
        if "window" not in drawn and "numbers" in drawn:  # to be pasted as it is, mirrored or not
            part = self._mirrored(part, placement.flip)
        return part

    def _mirrored(self, part: Part, flip: tf.Tensor) -> Part:
        """A picture in place whose boxes are mirrored already, with image and maps."""
        labels = {name: kind.mirror(self._label(name, part), flip) for name, kind in self.kinds.items() if kind.maps}
        maps = {name: _maps(self.kinds[name], label) for name, label in labels.items()}
        return {**part, "image": geometry.mirror(part["image"], flip), "maps": {**part["maps"], **maps}}

    def _cut_mix(self, under: Part, taken: Tree) -> Part:
        """A window of another picture."""
        window = taken["window"]
        over = self._picture({key: value for key, value in taken.items() if key != "on"})
        full = tf.constant([0, 0, *self.size])
        under = self._hidden(under, over, Cover(window))
        return {**under, **self._joined([under, over], tf.stack([full, window]))}

    def _erase(self, under: Part, taken: Tree) -> Part:
        """A window of nothing."""

        def blank(pixels: tf.Tensor, value: float) -> tf.Tensor:
            shape = [*tf.unstack(taken["window"][2:]), pixels.shape[-1]]
            return tf.fill(shape, tf.cast(value, pixels.dtype))

        beyond = {name: dict(kind.maps) for name, kind in self.kinds.items()}
        outside = tf.nest.map_structure(blank, under["maps"], beyond)
        nothing = {"image": blank(under["image"], geometry.GREY), "maps": outside}
        return self._hidden(under, nothing, Cover(taken["window"]))

    def _paste(self, under: Part, taken: Tree) -> Part:
        """Some objects of another picture; of other kinds of label the image keeps its own."""
        over = self._picture({key: value for key, value in taken.items() if key != "on"})
        pasted = paste(self.kinds, over, taken["numbers"])
        some = tf.reduce_any(pasted.cover.mask)
        under = self._hidden(under, over, pasted.cover)
        rows, weights = dict(under["rows"]), dict(under["weights"])
        windows = tf.stack([tf.constant([0, 0, *self.size]), pasted.cover.window])
        for name, kind in self.kinds.items():
            both = tf.stack([weights[name], over["weights"][name] * tf.cast(some, tf.float32)])
            if kind.has_objects:
                kept, ignored = pasted.rows[name]
                chosen = kind.chosen(over["rows"][name], kept, ignored)
                pair = tf.nest.map_structure(lambda *x: tf.stack(x), rows[name], chosen)
                rows[name], weights[name] = kind.join(pair, both, windows)
            elif kind.follows:
                added = [pasted.classes.get(c, tf.constant(False)) for c in kind.classes]
                rows[name] = kind.including(rows[name], tf.stack(added) & (weights[name] > 0))
            elif kind.maps:
                weights[name] = tf.reduce_max(both)
        return {**under, "rows": rows, "weights": weights}

    def _hidden(self, under: Part, over: Part, cover: Cover) -> Part:
        """An image with other pixels over it, of the whole image or of a window, which have no objects yet."""
        image = cover.laid(under["image"], over["image"])
        maps = tf.nest.map_structure(cover.laid, under["maps"], over["maps"])
        rows = {
            name: self.kinds[name].hide(label, cover, self.augmentation.cut) for name, label in under["rows"].items()
        }
        return {**under, "image": image, "maps": maps, "rows": rows}

    def _joined(self, parts: list[Part], windows: tf.Tensor) -> Part:
        """The labels, but for maps, and weights of several pictures in one image."""
        rows, weights = {}, {}
        for name, kind in self.kinds.items():
            known = tf.stack([part["weights"][name] for part in parts])
            each = [part["rows"].get(name, {}) for part in parts]
            label, weights[name] = kind.join(tf.nest.map_structure(lambda *x: tf.stack(x), *each), known, windows)
            if name in parts[0]["rows"]:
                rows[name] = label
        return {"rows": rows, "weights": weights}

    def _followed(self, before: Part, after: Part, index: tf.Tensor) -> Tree:
        """The rows of an image after something was laid over it, without classes whose objects are gone."""
        labels = {name: _one(self._label(name, before)) for name in self.kinds}
        return self._following(labels, after, index)

    def _following(self, before: Tree, after: Part, index: tf.Tensor) -> Tree:
        """The rows of a picture, of which labels follow from others as the split says."""
        labels = {name: kind.finish(_one(self._label(name, after)), None) for name, kind in self.kinds.items()}
        specs = {name: kind.spec for name, kind in self.kinds.items()}
        follow = self.follow or (lambda before, after, specs, indices: after)
        changed = follow(before, labels, specs, index[None])
        return {
            name: tf.nest.map_structure(lambda x: x[0], changed[name]) if not self.kinds[name].maps else rows
            for name, rows in after["rows"].items()
        }

    def _label(self, name: str, part: Part) -> Any:
        """The whole label of a task."""
        maps, rows = part["maps"][name], part["rows"].get(name, {})
        return maps.get("", {**rows, **maps} if maps else rows)


def _maps(kind: Kind, label: Any) -> dict[str, tf.Tensor]:
    """The maps of a label, by their keys."""
    return {key: label[key] if key else label for key in kind.maps}


def _if(labelled: tf.Tensor, values: tf.Tensor, outside: float) -> tf.Tensor:
    """A map, or one of the same shape of what is beyond a picture."""
    blank = tf.cast(outside, values.dtype)
    return tf.ensure_shape(tf.cond(labelled, lambda: values, lambda: tf.fill(tf.shape(values), blank)), values.shape)


def _one(tree: Any) -> Any:
    """Tensors as a batch of one."""
    return tf.nest.map_structure(lambda x: x[None], tree)
