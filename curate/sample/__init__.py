"""What a trained LoRA does: samples to look at and listen to, and the tone sweep that measures one."""
