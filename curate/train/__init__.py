"""The bundled trainer: a set in, a LoRA out. Read in this order: config, data, strategy, flow, lora, model, state, trainer."""
