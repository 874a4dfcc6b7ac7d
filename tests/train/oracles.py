"""What diffusers' pipelines ask of the transformer for a condition: the arguments of its first call."""

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.train.sets import FPS

QUIET = {
    "prompt": "a person", "guidance_scale": 1.0, "stg_scale": 0.0, "modality_scale": 1.0, "guidance_rescale": 0.0,
    "audio_guidance_scale": 1.0, "audio_stg_scale": 0.0, "audio_modality_scale": 1.0, "audio_guidance_rescale": 0.0,
    "frame_rate": FPS, "num_inference_steps": 2, "output_type": "latent", "return_dict": False,
}  # fmt: skip


class _Asked(Exception):
    pass


def asked_by(kind: Any, pipeline: Any, frames: NDArray[np.uint8], **conditions: Any) -> dict[str, Any]:
    """The arguments of the first call that a pipeline of class `kind` makes, for a video like `frames`."""
    parts = inspect.signature(kind.__init__).parameters
    mine = kind(**{name: part for name, part in pipeline.components.items() if name in parts})
    mine.set_progress_bar_config(disable=True)
    found = dict[str, Any]()

    def note(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        found.update(kwargs)
        raise _Asked

    hook = pipeline.transformer.register_forward_pre_hook(note, with_kwargs=True)
    count, height, width, _ = frames.shape
    try:
        mine(num_frames=count, height=height, width=width, **QUIET, **conditions)
    except _Asked:
        return found
    finally:
        hook.remove()
    raise RuntimeError("the pipeline never called its transformer")


def pictures(frames: NDArray[np.uint8]) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in frames]
