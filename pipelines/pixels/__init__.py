"""Pixels: `pictures` decodes files, `geometry` takes pictures to their place, `augmentation` varies them.

Of a file, `headers` tells what it is, `contents` what it is instead, `ends` whether it is whole, `opening` opens it,
`levels` makes 8 bits of its numbers, and `masks` class ids. `encoded` reads files in memory. `likeness` compares
pictures.

From outside, `rules` (what may be asked, without TensorFlow), `geometry` and `encoded` are used, so that serving reads
and places a picture as training does. A new augmentation is a field of `Augmentation`, its range in `rules`, and a key
of the recipe.
"""
