"""Groups of images: which images belong together, and how groups fall to splits.

From outside, `pipelines.split` uses `grouping.groups_of` and `stratifying.assign`. A new way to say what images have in
common is a case of `groups_of`.
"""
