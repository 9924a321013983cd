"""Photographs: CIFAR-10, STL-10, Tiny ImageNet, or a folder for each class, as torchvision reads them."""

from cortexsim.tasks.images.task import Images

__all__ = ["TASK", "Images"]

TASK = Images
