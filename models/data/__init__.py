"""Images: where they come from, how they are split, stored, augmented and batched."""

from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_store import Dataset, Images, open_dataset

__all__ = ["DataConfig", "Dataset", "Images", "open_dataset"]
