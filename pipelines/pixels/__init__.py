"""Pixels: `pictures` decodes files, `geometry` takes pictures to their place, `augmentation` varies them.

From outside, `rules` (what may be asked, without TensorFlow) and `geometry` are used, so that serving places a picture
as training does. A new augmentation is a field of `Augmentation`, its range in `rules`, and a key of the recipe.
"""
