"""Captions that say start, action and end, made from a sample's metadata alone.

For the generators whose parameters are known. `parameters` is what VBVR's metadata.json has under that name; what is not
as the sentences need it gives no caption, so that none says what the video does not show.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator

from curate.captions import article

# Everyday words, each with the CSS names that it stands for; together all of CSS.
COLOURS: Mapping[str, str] = MappingProxyType({
    "black": "black",
    "dark gray": "dimgray darkslategray",
    "gray": "gray darkgray silver lightgray gainsboro slategray lightslategray",
    "white": "white snow ghostwhite whitesmoke ivory floralwhite seashell honeydew mintcream azure aliceblue lavenderblush",
    "dark red": "darkred maroon",
    "red": "red crimson firebrick indianred tomato",
    "pink": "pink lightpink hotpink deeppink palevioletred mediumvioletred lightcoral salmon mistyrose",
    "orange": "orange darkorange chocolate orangered coral sandybrown lightsalmon darksalmon",
    "brown": "brown saddlebrown sienna peru rosybrown darkgoldenrod",
    "beige": "beige tan wheat burlywood bisque blanchedalmond antiquewhite linen oldlace cornsilk moccasin navajowhite papayawhip peachpuff",
    "yellow": "yellow gold goldenrod khaki lightyellow lemonchiffon palegoldenrod lightgoldenrodyellow",
    "olive green": "olive olivedrab darkolivegreen darkkhaki",
    "light green": "lightgreen palegreen greenyellow yellowgreen chartreuse lawngreen darkseagreen",
    "green": "green forestgreen limegreen lime seagreen mediumseagreen springgreen mediumspringgreen",
    "dark green": "darkgreen",
    "teal": "teal darkcyan lightseagreen cadetblue",
    "turquoise": "turquoise mediumturquoise darkturquoise paleturquoise aquamarine mediumaquamarine aqua lightcyan",
    "light blue": "lightblue skyblue lightskyblue powderblue lightsteelblue",
    "blue": "blue mediumblue royalblue dodgerblue cornflowerblue steelblue deepskyblue darkslateblue",
    "dark blue": "navy darkblue midnightblue",
    "purple": "purple indigo darkviolet darkorchid blueviolet mediumpurple rebeccapurple slateblue mediumslateblue mediumorchid darkmagenta",
    "light purple": "lavender thistle plum violet orchid",
    "magenta": "fuchsia",
})  # fmt: skip
LEAST_STEP = 0.08  # of lightness, 0 to 1, that is called darker or lighter

# Shapes by their names in the metadata, and what a sentence calls them.
SHAPES: Mapping[str, str] = MappingProxyType({
    "arrow": "arrow", "circle": "circle", "crescent": "crescent", "cross": "cross", "diamond": "diamond",
    "ellipse": "ellipse", "heart": "heart", "heptagon": "heptagon", "hexagon": "hexagon", "l_shape": "L-shape",
    "minus": "minus sign", "octagon": "octagon", "oval": "oval", "parallelogram": "parallelogram",
    "pentagon": "pentagon", "plus": "plus sign", "rectangle": "rectangle", "rhombus": "rhombus", "ring": "ring",
    "semicircle": "semicircle", "square": "square", "star": "star", "t_shape": "T-shape", "trapezoid": "trapezoid",
    "triangle": "triangle",
})  # fmt: skip
# Nobody here has seen O-7's metadata: the names of the demo, then those that its sister generators use, then guesses.
FROM_COLOUR = AliasChoices("from_color", "color_from", "source_color", "start_color")
TO_COLOUR = AliasChoices("to_color", "color_to", "target_color", "end_color")
EXAMPLE_SHAPE = AliasChoices("example_shape", "shape_example", "shape_a", "shape_1")
QUESTION_SHAPE = AliasChoices("question_shape", "shape_question", "shape_c", "shape_3", "shape_2")

COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")  # fmt: skip
MOST = 999  # of anything that a caption counts

Lab = tuple[float, float, float]
TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_OKLAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


class Colour(NamedTuple):
    """A colour as it is called, and where it lies in Oklab, where that is known."""

    name: str
    lab: Lab | None


def lab(red: float, green: float, blue: float) -> Lab:
    """Lightness (0 to 1) and twice a and b of an sRGB colour of 0 to 255 a channel in Oklab, where blues keep their hue.

    IEC 61966-2-1 for sRGB; B. Ottosson, "A perceptual color space for image processing", 2020. Doubled, since what a
    colour is called depends on its hue more than on its lightness.
    """
    channels = (red / 255, green / 255, blue / 255)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    cones = [_dot(row, linear) ** (1 / 3) for row in TO_CONES]
    return _dot(TO_OKLAB[0], cones), 2 * _dot(TO_OKLAB[1], cones), 2 * _dot(TO_OKLAB[2], cones)


def _dot(row: Lab, values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(row, values, strict=True))


@cache
def _css() -> dict[str, Lab]:
    from PIL.ImageColor import colormap, getrgb  # late: most who import this name no colour

    return {name: lab(*getrgb(name)[:3]) for name in colormap}


def nearest(of: Lab) -> str:
    """The everyday word for a colour: that of the CSS colour at the least distance in Oklab."""
    apart = {
        word: min(sum((a - b) ** 2 for a, b in zip(of, _css()[name], strict=True)) for name in names.split())
        for word, names in COLOURS.items()
    }
    return min(apart, key=lambda word: apart[word])


def colour(value: object) -> Colour:
    """A colour from [red, green, blue] of 0 to 255, "#rrggbb" or a name. Raises ValueError for anything else."""
    if isinstance(value, str) and not value.startswith("#"):
        name = " ".join(value.lower().replace("_", " ").split())
        if name not in COLOURS and name.replace(" ", "") not in _css():
            raise ValueError(f"{value!r} is no colour")
        return Colour(name, _css().get(name.replace(" ", "")))
    channels = list(bytes.fromhex(value[1:])) if isinstance(value, str) else value
    if not isinstance(channels, list | tuple) or len(channels) != 3:
        raise ValueError(f"{value!r} is no colour; wanted [red, green, blue], #rrggbb or a name")
    if not all(type(c) in (int, float) and 0 <= c <= 255 for c in channels):
        raise ValueError(f"{value!r}: wanted channels of 0 to 255")
    found = lab(*channels)
    return Colour(nearest(found), found)


def told_apart(before: Colour, after: Colour) -> tuple[str, str]:
    """What two colours are called, so that the words differ. Raises ValueError for colours too much alike."""
    if before.name != after.name:
        return before.name, after.name
    step = after.lab[0] - before.lab[0] if before.lab and after.lab else 0.0
    if abs(step) < LEAST_STEP:
        raise ValueError(f"both colours are {before.name}")
    return before.name, f"{'lighter' if step > 0 else 'darker'} {after.name}"


def shape(value: object) -> str:
    """What a shape is called. Raises ValueError for what is no known shape."""
    if isinstance(value, str) and (name := SHAPES.get(value.lower().replace("-", "_").replace(" ", "_"))):
        return name
    raise ValueError(f"{value!r} is no shape; wanted one such as star or T_shape")


AColour = Annotated[Colour, PlainValidator(colour)]
AShape = Annotated[str, PlainValidator(shape)]
Cell = Annotated[list[int], Field(min_length=2, max_length=2)]  # row, column


def count(number: int) -> str:
    """Such as "four" or "24"."""
    return COUNTS[number] if number < len(COUNTS) else str(number)


def ordinal(number: int) -> str:
    """Such as "third" or "21st"."""
    if number < len(ORDINALS):
        return ORDINALS[number]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def with_article(words: str) -> str:
    """The words with their article."""
    return f"{article(words) or 'a'} {words}"


class _Parameters(BaseModel):
    """What the caption of one generator takes; strict, and blind to the rest."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Analogy(_Parameters):
    """O-7: two shapes change from one colour to another."""

    before: AColour = Field(validation_alias=FROM_COLOUR)
    after: AColour = Field(validation_alias=TO_COLOUR)
    example: AShape = Field(validation_alias=EXAMPLE_SHAPE)
    question: AShape = Field(validation_alias=QUESTION_SHAPE)

    def caption(self) -> str:
        before, after = told_apart(self.before, self.after)
        return (
            f"Two rows of shapes are shown. In the top row {with_article(before)} {self.example} becomes {with_article(after)} {self.example}. "
            f"In the bottom row the {before} {self.question} becomes {with_article(after)} {self.question} in the same way, "
            "and its shape, size and position stay the same."
        )


class Puzzle(_Parameters):
    """O-47: numbered tiles are slid into order."""

    size: int = Field(ge=2, le=99)
    solution_length: int = Field(ge=1, le=MOST)
    tile_color_theme: AColour

    def caption(self) -> str:
        tiles, moves = self.size**2 - 1, self.solution_length
        return (
            f"{with_article(f'{self.size} by {self.size}').capitalize()} sliding puzzle is shown, with {count(tiles)} numbered "
            f"{self.tile_color_theme.name} tiles out of order and one blank space. One tile at a time slides into the "
            f"blank space, {count(moves)} {'move' if moves == 1 else 'moves'} in all. At the end the tiles stand in order "
            f"from 1 to {tiles}, row by row from left to right, and the blank space is in the bottom right corner."
        )


class Book(_Parameters):
    """A book of O-30: one that stands on the shelf, or a new one and the place that it is put in."""

    type: Literal["existing", "new"]
    place: int = Field(validation_alias=AliasChoices("position", "insertion_position"))
    color_name: str = ""


class Bookshelf(_Parameters):
    """O-30: new books fill the gaps of a shelf."""

    num_existing: int = Field(ge=2, le=MOST)
    num_new: int = Field(ge=2, le=MOST)
    objects: list[Book]

    def caption(self) -> str:
        new = [book for book in self.objects if book.type == "new"]
        places = sorted(book.place for book in self.objects)
        (name,) = {colour(book.color_name).name for book in new}
        if places != list(range(self.num_existing + self.num_new)) or len(new) != self.num_new:
            raise ValueError("the books do not fill the shelf")
        return (
            f"A shelf holds {count(self.num_existing)} books with room left for {count(self.num_new)} more, and "
            f"{count(self.num_new)} {name} books wait on the right. One after another the {name} books move into the free "
            f"places. At the end all {count(len(places))} books stand side by side on the shelf, and no book is left on "
            "the right."
        )


class Symmetry(_Parameters):
    """G-37: the left half of a grid is mirrored into the right half."""

    color: AColour
    grid_size: int = Field(ge=2, le=99)
    initial_scatter: list[Cell] = Field(min_length=2)

    def caption(self) -> str:
        cells, name = {(row, column) for row, column in self.initial_scatter}, self.color.name
        rows, left_columns = range(self.grid_size), range(self.grid_size // 2)
        on_the_left = all(row in rows and column in left_columns for row, column in cells)
        if not on_the_left or len(cells) != len(self.initial_scatter):
            raise ValueError("cells beyond the left half")
        return (
            f"{with_article(f'{self.grid_size} by {self.grid_size}').capitalize()} grid is shown, with {count(len(cells))} {name} cells "
            "in its left half and none in its right half. The pattern is mirrored across the vertical axis in the middle: "
            f"for every cell on the left {with_article(name)} cell fades in on the right. At the end the grid has "
            f"{count(2 * len(cells))} {name} cells, and its two halves are mirror images of each other."
        )


class Domino(_Parameters):
    """A domino of O-24 as it is at the end."""

    is_fallen: bool
    is_last_fallen: bool
    color: AColour


class Dominoes(_Parameters):
    """O-24: a chain of dominoes falls as far as a gap. `last_fallen_index` counts from 0, `answer` from 1."""

    answer: int = Field(ge=2, le=MOST)
    gap_after: int
    last_fallen_index: int
    objects: list[Domino]

    def caption(self) -> str:
        fallen, standing = self.answer, len(self.objects) - self.answer
        (name,) = {domino.color.name for domino in self.objects[fallen:]}
        ends = [(domino.is_fallen, domino.is_last_fallen) for domino in self.objects]
        wanted = [(True, False)] * (fallen - 1) + [(True, True)] + [(False, False)] * standing
        stops = ends == wanted and self.gap_after == self.last_fallen_index == fallen - 1
        if not stops or "red" in name.split():
            raise ValueError("the chain does not stop at its gap")
        rest = "only one domino still stands" if standing == 1 else f"the other {count(standing)} still stand"
        return (
            f"{count(len(self.objects)).capitalize()} {name} dominoes stand upright in a row, with a wide gap between the "
            f"{ordinal(fallen)} and the {ordinal(fallen + 1)}. The first domino is pushed, and the first {count(fallen)} fall "
            f"one after another and turn red. At the end the chain has stopped at the gap: the {ordinal(fallen)} domino is "
            f"the last to have fallen, and {rest}."
        )


class Dots(_Parameters):
    """O-34: numbered dots are joined in order."""

    num_dots: int = Field(ge=3, le=MOST)
    connection_type: Literal["sequential"]
    line_color: AColour

    def caption(self) -> str:
        dots, name = self.num_dots, self.line_color.name
        return (
            f"{count(dots).capitalize()} numbered dots are scattered across the image. Straight {name} lines are drawn from "
            f"dot to dot in the order of their numbers, one line at a time, from dot 1 to dot {dots}. At the end "
            f"{count(dots - 1)} {name} lines join all {count(dots)} dots in one path."
        )


CAPTIONS: Mapping[str, type[Symmetry | Analogy | Dominoes | Bookshelf | Dots | Puzzle]] = MappingProxyType({
    "G-37": Symmetry, "O-7": Analogy, "O-24": Dominoes, "O-30": Bookshelf, "O-34": Dots, "O-47": Puzzle,
})  # fmt: skip


def rewrite(generator_id: str, parameters: Mapping[str, Any]) -> str | None:
    """A caption of start, action and end for a sample of a generator such as `O-7`.

    None when the parameters do not hold what it takes, contradict each other, or no sentences are known for the generator.
    """
    if generator_id not in CAPTIONS or not isinstance(parameters, Mapping):
        return None
    try:
        return CAPTIONS[generator_id].model_validate(dict(parameters)).caption()
    except ValueError:  # pydantic's errors are, too
        return None
