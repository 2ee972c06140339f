"""What the sources that read files share: from what an index says of each image to splits that are read in graph.

A source is a `format.FileFormat`, makes an `entries.Entry` of each image and returns what is `assembled` of them;
`layout` finds splits, pictures and the classes of masks in a folder, `orientation` decides how turned pictures are
read, and `notes` tells what is not used of them. Nothing here knows a format; what two sources need moves here.
"""
