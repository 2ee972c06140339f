"""How Pascal VOC data lie in their folders, and by which signs each layout is known."""

from pipelines.sources.layouts import FOLDERS_ALONE, Layout, Sign
from pipelines.sources.voc import roots

LAYOUTS = (
    Layout(
        "Pascal VOC",
        "Annotations/*.xml, JPEGImages/*.jpg and ImageSets/Main/train.txt (also in VOCdevkit/VOC2012/, and as CVAT has "
        "them), or all of these in train/ and val/; or XML files beside the pictures, as of labelImg and Roboflow",
        (Sign("Annotations/**/*.xml, of <annotation>, or other such XML", roots.is_there),),
        covers=FOLDERS_ALONE,
    ),
    Layout(
        "Pascal VOC masks",
        "JPEGImages/*.jpg, SegmentationClass/*.png and ImageSets/Segmentation/train.txt, perhaps CVAT's labelmap.txt",
        (Sign("SegmentationClass/*.png", roots.has_masks),),
        covers=FOLDERS_ALONE,
    ),
)
