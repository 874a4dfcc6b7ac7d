"""Media and captions to the latents and text features that LTX-2 trains on.

`stack` loads a model, `tiny` builds the miniature that works anywhere, `video`, `audio` and `text` encode. They
import torch; this file does so when it must.
"""

import logging


def quiet_libraries() -> None:
    """Let transformers, diffusers and huggingface_hub log errors only, and draw no progress bars."""
    import diffusers
    import transformers
    from huggingface_hub.utils.tqdm import disable_progress_bars

    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    disable_progress_bars()


def out_of_memory(error: BaseException) -> bool:
    """Whether this is what torch or Python raises when memory runs out."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)  # the CPU's has no type
