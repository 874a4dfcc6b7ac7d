"""The generators of VBVR by id: exact names, never guessed ("separate" is spelt "seperate" there, "domino chain" is two).

A sample of generator NAME lies under `NAME_data-generator/TASK_task/`; TASK does not follow from NAME.
"""

import re
from types import MappingProxyType
from typing import NamedTuple

from curate.errors import CurateError


class Generator(NamedTuple):
    """One generator: the folder and tar it has, and the folder of its task."""

    name: str
    task: str

    @property
    def id(self) -> str:
        """Such as `G-11`."""
        return id_of(self.name)

    @property
    def folder(self) -> str:
        """What VBVR calls it in its table, its tar and its paths."""
        return f"{self.name}_data-generator"


def id_of(name: str) -> str:
    """The id that a generator's name begins with. Raises CurateError for a name without one."""
    if found := re.match(r"[GO]-\d+(?=_)", name):
        return found.group()
    raise CurateError(
        f"{name!r} is no generator of VBVR; wanted a name such as G-11_handle_object_reappearance"
    )


# Names as in the dataset's own table; the task folder where it differs from the name without its id.
_TASKS = {
    "G-3_stable_sort": "", "G-11_handle_object_reappearance": "", "G-13_grid_number_sequence": "",
    "G-17_grid_avoid_red_block": "", "G-25_seperate_object_spinning": "", "G-31_directed_graph_navigation": "",
    "G-33_visual_jenga": "", "G-35_hit_target_after_bounce": "ball_prediction", "G-37_symmetry_random": "",
    "G-41_grid_highest_cost": "", "G-44_bfs": "", "O-1_color_mixing": "", "O-7_shape_color_change": "",
    "O-8_shape_rotation": "", "O-13_shape_outline_then_move": "", "O-14_shape_scale_then_outline": "",
    "O-21_construction_blueprint": "", "O-24_domino_chain_gap_analysis": "", "O-29_ballcolor": "",
    "O-30_bookshelf": "", "O-33_counting_object": "counting_objects", "O-34_dot_to_dot_task": "dot_to_dot",
    "O-47_sliding_puzzle": "", "O-52_traffic_light": "", "O-75_communicating_vessels": "",
    "O-83_planar_warp_verification": "homography", "O-87_fluid_diffusion_reasoning": "ink_diffusion",
}  # fmt: skip

GENERATORS = MappingProxyType(
    {id_of(name): Generator(name, task or name.partition("_")[2]) for name, task in _TASKS.items()}
)

# Whose task is to come back ("... then return along the same path to the center"): their first state is their last.
RETURNING = frozenset({"G-11"})

# The half of VBVR-Bench that no training set may hold.
OUT_OF_DOMAIN = frozenset({
    "G-24", "G-47", "G-54", "G-135", "G-136", "G-140", "G-147", "G-160", "G-161", "G-167", "G-168",
    "G-169", "G-174", "G-189", "G-193", "G-202", "G-206", "G-212", "G-217", "G-218", "G-219",
    "G-221", "G-222", "G-223", "G-240", "G-247", "G-248", "G-250", "G-273", "O-2", "O-5", "O-6",
    "O-9", "O-11", "O-22", "O-27", "O-39", "O-43", "O-46", "O-49", "O-54", "O-56", "O-58", "O-59",
    "O-60", "O-61", "O-62", "O-64", "O-65", "O-85",
})  # fmt: skip
