"""How many classes the user's own data have, as far as that is known in milliseconds."""

from __future__ import annotations

from siliconv.errors import DAMAGE, SiliconvError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import Shape
from siliconv.models.data.source_preview import preview_of

_OWN = ("folder", "npz", "npy", "hdf5", "csv")


def classes_of(data: DataConfig, input_shape: Shape) -> int | None:
    """Give the number of classes of a folder of images or a file of arrays.

    None where the data are not the user's own or no classes, where it takes longer to find out, and where something is
    wrong with them, which their preparation tells.
    """
    if data.source not in _OWN or data.path is None:
        return None
    try:
        found = preview_of(data, input_shape)
    except SiliconvError:
        return None
    except DAMAGE:
        return None
    return len(found.answers.names) if found is not None and found.answers.task == "classification" else None
