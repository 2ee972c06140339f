"""The ids of Cityscapes' labels, as the data set's own table has them."""

TRAIN = (  # the classes that are evaluated, by their training ids
    *(
        "road",
        "sidewalk",
        "building",
        "wall",
        "fence",
        "pole",
        "traffic light",
        "traffic sign",
        "vegetation",
        "terrain",
    ),
    *("sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)
IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)  # of the same, in masks of label ids
LAST = 33  # the highest label id; those that are not above are ignored
THINGS = TRAIN[11:]  # the classes whose objects are told apart and evaluated
FIRST_THING = 24  # the lowest id of a class with objects; 29 and 30, caravan and trailer, are not evaluated
OBJECTS = 1000  # by which the id of a class is multiplied in the number of an object
