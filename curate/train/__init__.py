"""The bundled trainer: a set in, a LoRA out.

Read in this order: config, data, strategy, flow (what is learned from); model, lora, optimizer (what learns);
objective, trainer (the loop); then what keeps it safe: state, run, guard, together, fitted; start ties all of it up.
"""
