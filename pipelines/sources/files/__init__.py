"""What the sources that read files share: from what an index says of each image to splits that are read in graph."""
