"""The people of the demo films: faces that a face recogniser tells apart, in clothes that are drawn by the seed.

The faces were chosen among 600 random ones as those farthest from each other for dlib's recogniser. In the films of
two seeds, heads turned by 25 degrees at most: at most 0.44 from themselves, at least 0.48 from all others (where dlib
calls two faces one person below 0.6).
"""

from typing import Any

from curate.records import rng
from curate.sources.demo_films_cloth import Clothes, Top
from curate.sources.demo_films_skull import Face
from curate.sources.demo_films_stage import Character
from curate.sources.demo_pen import Colour, shade

SKINS: tuple[Colour, ...] = (
    (240, 198, 170), (232, 184, 150), (214, 160, 122), (196, 140, 102), (168, 112, 78), (140, 90, 62), (112, 72, 50),
)  # fmt: skip
HAIR_COLOURS: dict[str, Colour] = {
    "black": (32, 26, 24), "dark brown": (58, 38, 26), "brown": (96, 62, 36), "auburn": (150, 84, 40),
    "fair": (196, 150, 86), "blond": (220, 190, 130), "grey": (150, 146, 142), "white": (225, 222, 216),
    "red": (120, 40, 24),
}  # fmt: skip
IRISES: dict[str, Colour] = {
    "brown": (70, 46, 28), "hazel": (94, 66, 36), "blue": (70, 104, 130), "green": (80, 112, 74),
    "grey": (110, 120, 128), "dark": (40, 30, 24),
}  # fmt: skip
SCARVES: tuple[Colour, ...] = ((52, 112, 128), (206, 152, 60), (150, 70, 90))
LIPS = ((0.88, 0.6, 0.6), (0.8, 0.46, 0.46), (0.75, 0.36, 0.4))
CLOTHS: dict[str, Colour] = {
    "red": (176, 48, 44), "navy": (40, 56, 96), "green": (58, 104, 66), "mustard": (206, 156, 48),
    "white": (226, 226, 226), "teal": (36, 112, 118), "plum": (112, 50, 92), "grey": (120, 124, 132),
    "orange": (212, 108, 44), "sky-blue": (108, 156, 204), "brown": (124, 86, 56), "pink": (214, 128, 148),
}  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((60, 64, 80), (88, 76, 66), (52, 70, 104), (72, 74, 72), (122, 106, 84))
TOPS: dict[str, tuple[Top, ...]] = {
    "woman": ("jumper", "dress", "jacket", "striped", "shirt", "apron", "coat"),
    "man": ("jumper", "shirt", "jacket", "waistcoat", "striped", "apron", "coat"),
}
HAIR_WORDS = {
    "short": "short {} hair", "parted": "parted {} hair", "buzz": "cropped {} hair", "bob": "a {} bob",
    "long": "long {} hair", "bun": "{} hair in a bun", "curls": "{} curls", "fringe": "a {} fringe",
}  # fmt: skip
NUMBERS = (
    "width", "jaw", "chin", "cheeks", "eye_gap", "eye_size", "eye_tilt", "brow_size", "brow_y", "brow_tilt",
    "nose_length", "nose_width", "nose_y", "mouth_width", "mouth_y", "lips", "age",
)  # fmt: skip
# woman or man, NUMBERS; freckles, glasses, hair, beard, skin, colours of hair and iris, colour of the lips
PEOPLE: tuple[tuple[Any, ...], ...] = (
    ("man", 0.991, 0.984, 0.924, 0.426, 1.111, 1.18, 0.002, 0.797, 0.15, -0.106, 1.306, 1.023, 0.041, 1.09, 0.002, 1.449, 0,
     0, 1, "bald", "moustache", 3, "brown", "grey", 0),
    ("woman", 1.043, 1.054, 0.646, 1.093, 1.11, 1.152, -0.087, 1.588, -0.186, 0.054, 0.934, 1.218, -0.042, 1.078, 0.04, 1.336, 0,
     1, 0, "scarf", "none", 6, "grey", "brown", 0),
    ("man", 0.973, 1.068, 0.83, 1.173, 0.939, 0.953, 0.125, 1.086, -0.683, 0.045, 1.452, 1.46, -0.088, 1.234, -0.016, 0.9, 0.871,
     0, 1, "short", "none", 3, "black", "blue", 0),
    ("man", 0.925, 1.069, 0.811, 1.768, 1.064, 0.765, -0.091, 1.971, 0.897, -0.014, 1.037, 0.814, -0.035, 0.879, 0.088, 1.251, 0.463,
     0, 0, "short", "goatee", 2, "dark brown", "brown", 1),
    ("man", 0.97, 1.073, 1.35, 0.744, 0.904, 1.16, -0.092, 1.27, 0.593, 0.129, 0.873, 1.455, -0.064, 0.718, -0.022, 0.567, 0.428,
     0, 0, "buzz", "goatee", 2, "black", "dark", 1),
    ("woman", 1.07, 1.118, 1.113, 0.492, 0.805, 1.189, -0.042, 0.685, 0.086, 0.123, 0.733, 0.765, -0.02, 1.214, 0.045, 1.269, 0,
     0, 1, "scarf", "none", 1, "fair", "green", 1),
    ("woman", 1.094, 1.216, 1.452, 1.475, 1.103, 1.014, -0.001, 0.486, -0.417, 0.028, 0.754, 0.669, -0.029, 0.941, -0.043, 0.654, 0.956,
     1, 0, "parted", "none", 3, "black", "blue", 2),
    ("man", 0.87, 0.794, 0.388, 0.339, 0.882, 0.924, -0.105, 1.683, -0.255, -0.018, 1.27, 0.846, -0.029, 1.293, 0.019, 0.333, 0.943,
     0, 0, "bald", "none", 4, "white", "grey", 0),
    ("man", 1.007, 1.023, 1.057, 0.839, 0.85, 1.018, 0.202, 0.367, -0.432, 0.087, 1.392, 1.548, -0.11, 0.844, 0.099, 1.755, 0,
     1, 0, "curls", "stubble", 5, "black", "grey", 2),
    ("woman", 0.968, 1.12, 0.75, 0.76, 1.185, 0.783, 0.193, 1.229, -0.026, 0.037, 0.719, 0.807, -0.055, 1.215, 0.05, 1.392, 0,
     0, 1, "curls", "none", 4, "dark brown", "green", 2),
    ("woman", 1.065, 0.94, 0.884, 0.989, 1.135, 0.843, 0.171, 0.876, 0.623, 0.012, 0.979, 1.168, -0.012, 0.807, 0.024, 1.703, 0,
     1, 0, "bun", "none", 1, "brown", "grey", 0),
    ("woman", 0.922, 1.06, 1.201, 0.463, 0.822, 0.879, 0.084, 1.209, -0.445, -0.034, 1.235, 1.067, 0.011, 1.377, 0.052, 0.979, 0.608,
     0, 0, "bob", "none", 5, "black", "grey", 2),
)  # fmt: skip


def face(person: int) -> Face:
    """The face of one of PEOPLE."""
    row = PEOPLE[person]
    freckles, glasses, hair, beard, skin, hair_colour, iris, lips = row[len(NUMBERS) + 1 :]
    red, green, blue = (int(value * share) for value, share in zip(SKINS[skin], LIPS[lips], strict=True))
    return Face(
        **dict(zip(NUMBERS, row[1:], strict=False)),
        freckles=freckles,
        glasses=bool(glasses),
        hair=hair,
        beard=beard,
        skin=SKINS[skin],
        hair_colour=HAIR_COLOURS[hair_colour],
        iris=IRISES[iris],
        lip_colour=(red, green, blue),
        cover=SCARVES[person % len(SCARVES)],
    )


def character(seed: int, person: int, top: Top | None = None) -> Character:
    """One of PEOPLE in clothes that the seed draws; `top` where they must be others."""
    row, looks = PEOPLE[person], face(person)
    draw = rng(seed, str(person), "clothes")
    cut: Top = top or TOPS[row[0]][int(draw.integers(len(TOPS[row[0]])))]
    names = list(CLOTHS)
    first, second = (names[k] for k in draw.permutation(len(names))[:2].tolist())
    if cut in ("waistcoat", "apron", "jacket", "coat"):
        second = "white" if first != "white" else "sky-blue"
    if cut == "coat":
        second = "grey" if first != "grey" else "navy"
    scarf = looks.cover if looks.hair == "scarf" else None
    clothes = Clothes(
        top=cut,
        colour=CLOTHS[first],
        second=CLOTHS[second],
        legs=TROUSERS[int(draw.integers(len(TROUSERS)))],
        skirt=cut == "dress" or (row[0] == "woman" and cut != "apron" and draw.random() < 0.4),
        build=float(draw.uniform(0.92, 1.0) if row[0] == "woman" else draw.uniform(0.98, 1.1)),
        scarf=None if scarf is None else shade(scarf, 0.96),
    )
    lower = float(draw.uniform(0, 14) if row[0] == "woman" else draw.uniform(-6, 6))
    return Character(
        id=f"person-{person:02d}",
        words=_words(row, looks, first, second, cut),
        face=looks,
        clothes=clothes,
        lower=lower,
    )


def _words(row: tuple[Any, ...], looks: Face, first: str, second: str, cut: Top) -> str:
    """Such as `an old man with cropped grey hair, a full beard and glasses, in a red jumper`."""
    colour, has = row[-3], []
    if looks.hair == "scarf":
        has.append("a headscarf")
    elif looks.hair != "bald":
        has.append(HAIR_WORDS[looks.hair].format(colour))
    if looks.beard != "none":
        of = "" if looks.hair != "bald" else f"{colour} "
        has.append(
            {"stubble": f"{of}stubble", "full": f"a full {of}beard"}.get(looks.beard, f"a {of}{looks.beard}")
        )
    has += ["glasses"] * looks.glasses + ["freckles"] * (looks.freckles > 0)
    who = " ".join(["old"] * (looks.age > 0.5) + ["bald"] * (looks.hair == "bald") + [row[0]])
    listed = " and ".join(", ".join(has).rsplit(", ", 1))
    worn = {"striped": f"{first} and {second} stripes", "dress": f"a {first} dress with a {second} belt"}
    wears = worn.get(cut, f"a {first} {cut}")
    return f"{_article(who)} {who}{' with ' * bool(has)}{listed}, in {_articled(wears)}"


def _articled(words: str) -> str:
    return f"an {words[2:]}" if words.startswith("a ") and words[2] in "aeiou" else words


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
