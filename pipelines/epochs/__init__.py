"""What an epoch takes, and in which order: `order` gives the samples, `sampling` how many of each of several sources.

From outside, `rules` (what may be asked, without TensorFlow or NumPy) and `Sampling` are used. A new way to draw is a
name in `rules.Method` and its fractions in `Sampling.fractions`.
"""
