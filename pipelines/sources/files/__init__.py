"""What the sources that read files share: from what an index says of each image to splits that are read in graph.

A source makes an `entries.Entry` of each image and calls `assembly.assemble`; `layout` finds splits, pictures and the
classes of masks in a folder. Nothing here knows a format; what two sources need moves here.
"""
