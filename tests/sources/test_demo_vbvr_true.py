"""What the VBVR demo draws is right: shortest ways, solved puzzles, settled levels, light that is reflected."""

from itertools import pairwise, permutations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.sources import demo_vbvr_physics
from tests.sources.test_demo_vbvr import plan_of


def test_one_caption_has_lines_and_one_has_arrows() -> None:
    assert "\n" in plan_of("O-47", 1)[0].prompt
    assert "1→2→3" in plan_of("O-34", 1)[0].prompt


def test_the_agent_among_red_blocks_walks_free_cells() -> None:
    for task in plan_of("G-17", 20):
        chosen = task.parameters
        assert (chosen["path"][0], chosen["path"][-1]) == (chosen["start"], chosen["end"])
        assert not [cell for cell in chosen["path"] if cell in chosen["blocks"]]
        assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in pairwise(chosen["path"]))


def test_the_numbers_are_visited_in_order_by_shortest_ways() -> None:
    for task in plan_of("G-13", 20):
        chosen = task.parameters
        stops = [chosen["start"], *chosen["numbers"], chosen["end"]]
        for leg, (start, end) in zip(chosen["legs"], pairwise(stops), strict=True):
            assert (leg[0], leg[-1]) == (start, end)
            assert len(leg) == 1 + abs(start[0] - end[0]) + abs(start[1] - end[1])


def best_sum(costs: list[list[int]], row: int, column: int, seen: frozenset[tuple[int, int]]) -> int:
    """The highest sum from here to the last cell; far below zero where there is no way."""
    if not (0 <= row < 4 and 0 <= column < 4) or (row, column) in seen:
        return -1000
    if (row, column) == (3, 3):
        return costs[3][3]
    seen = seen | {(row, column)}
    near = ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1))
    return costs[row][column] + max(best_sum(costs, *cell, seen) for cell in near)


def test_the_way_with_the_highest_sum_is_taken() -> None:
    for task in plan_of("G-41", 5):
        costs, path = task.parameters["costs"], task.parameters["path"]
        assert sum(costs[row][column] for row, column in path) == best_sum(costs, 0, 0, frozenset())
        assert len(set(map(tuple, path))) == len(path)


def test_the_agent_follows_the_arrows_and_no_way_is_shorter() -> None:
    for task in plan_of("G-31", 12):
        chosen = task.parameters
        edges, path = {tuple(edge) for edge in chosen["edges"]}, chosen["path"]
        assert set(pairwise(path)) <= edges
        reached = {chosen["start"]}
        for _ in path[2:]:
            reached |= {there for here, there in edges if here in reached}
        assert chosen["end"] not in reached
        assert path[-1] == chosen["end"]


def test_the_moves_solve_the_puzzle() -> None:
    for task in plan_of("O-47", 20):
        chosen = task.parameters
        size, tiles = chosen["size"], list(chosen["initial_tiles"])
        for tile in chosen["moves"]:
            place, blank = tiles.index(tile), tiles.index(0)
            assert abs(place // size - blank // size) + abs(place % size - blank % size) == 1
            tiles[place], tiles[blank] = 0, tile
        assert tiles == [*range(1, size * size), 0]
        assert f"exactly {len(chosen['moves'])} moves" in task.prompt


def test_the_lights_end_as_a_simulation_by_the_second_says() -> None:
    order = {("red", 0): ("yellow", 1), ("yellow", 1): ("green", 2), ("green", 2): ("yellow", 3)}
    order[("yellow", 3)] = ("red", 0)
    for task in plan_of("O-52", 30):
        chosen = task.parameters
        for light in chosen["lights"]:
            state, left = (light["color"], light["phase"]), light["countdown"]
            for _ in range(chosen["seconds"]):
                left -= 1
                if left == 0:
                    state, left = order[state], 4
            assert state[0] == light["end_color"]
            assert f"{light['name']} is {light['end_color']}" in task.prompt.split("At the end")[1]
        assert any(light["color"] != light["end_color"] for light in chosen["lights"])


def test_a_cluster_is_smaller_than_what_absorbs_it() -> None:
    for task in plan_of("O-29", 30):
        have = task.parameters["red_count"]
        for cluster in task.parameters["clusters"]:
            assert cluster["count"] < have
            have += cluster["count"]
        assert have == task.parameters["total"]


def test_levels_end_at_their_mean() -> None:
    for task in plan_of("O-75", 20):
        levels = task.parameters["levels_cm"]
        assert sum(levels) == task.parameters["final_level_cm"] * len(levels)


def test_a_book_fits_its_gap_best() -> None:
    for task in plan_of("O-30", 20):
        heights, gaps = task.parameters["heights"], task.parameters["gaps"]

        def misfit(order: tuple[int, ...], heights: list[int] = heights, gaps: list[int] = gaps) -> float:
            fits = (
                abs(heights[book] - (heights[gap - 1] + heights[gap + 1]) / 2)
                for book, gap in zip(order, gaps, strict=True)
            )
            return sum(fits)

        assert min(permutations(gaps), key=misfit) == tuple(gaps)
        assert heights == sorted(heights)


def test_the_grid_is_warped_into_an_outline_without_dents() -> None:
    for task in plan_of("O-83", 20):
        outline = np.array(task.parameters["quadrilateral"], np.int32)
        assert cv2.isContourConvex(outline)


def test_the_ball_is_reflected_as_light_is() -> None:
    for task in plan_of("G-35", 20):
        flight = demo_vbvr_physics._flight(task.parameters)
        slopes = np.diff(flight[:, 1]) / np.diff(flight[:, 0])
        assert np.allclose(slopes[1:], -slopes[:-1])
        assert flight[-1].tolist() == task.parameters["targets"][task.parameters["target"]]
        assert len(flight) == task.parameters["bounces"] + 2


@given(next_lean=st.floats(0, 90))
def test_a_domino_leans_against_the_next_one_and_not_into_it(next_lean: float) -> None:
    lean = demo_vbvr_physics._contact(next_lean)
    one = demo_vbvr_physics._standing(0, lean).astype(np.float32)
    step = demo_vbvr_physics.DOMINO_STEP
    two = demo_vbvr_physics._standing(step, next_lean).astype(np.float32)
    inside = max(
        *(cv2.pointPolygonTest(two, corner.tolist(), True) for corner in one),
        *(cv2.pointPolygonTest(one, corner.tolist(), True) for corner in two),
    )
    assert abs(inside) < 0.05  # they touch
