"""What a picture of the robots demo shows, in one true sentence."""

from collections.abc import Mapping

from curate.sources.demo_robots_look import GROUNDS, POSES, Look

EYES: Mapping[str, str] = {
    "lenses": "two round {} eyes", "lens": "one large {} eye", "visor": "a dark visor with {} light",
    "screen": "a dark screen with two {} eyes", "slits": "two slanting {} eyes", "odd": "a living eye beside a {} lens",
    "human": "two round eyes", "almonds": "two large black eyes", "three": "three eyes", "one": "one large eye",
    "stalks": "two eyes on stalks", "cross": "a T-shaped opening with two {} eyes", "glass": "a glass pane before its face",
}  # fmt: skip
TOPS: Mapping[str, str] = {
    "antenna": "an antenna", "fin": "a fin", "two antennae": "two antennae", "lamp": "a {} lamp on top",
    "dish": "a dish on top", "coil": "a coil on top", "metal crown": "a metal skullcap", "mohawk": "a {} mohawk",
    "tubes": "black tubes", "two feelers": "two feelers", "horns": "two horns", "crest": "a spiny crest",
    "tentacles": "tentacles for hair", "plume": "a plume",
}  # fmt: skip
CHESTS: Mapping[str, str] = {"lamp": "a {} light in its chest", "star": "a star on its chest"}


def caption(look: Look) -> str:
    """Such as "a chrome android with a round head, two round blue eyes and an antenna, on a dark grey ground"."""
    head = "helmet" if look.kind == "armoured figure" else "head"
    parts = [f"{_a(look.head)} {head}", EYES[look.eyes]]
    if look.kind == "android" and look.suit != look.shell:
        parts[:0] = [f"{_a(look.suit)} body"]
    parts += [TOPS[look.top]] if look.top in TOPS else []
    parts += [CHESTS[look.chest]] if look.chest in CHESTS and look.framing != "bust" else []
    parts += ["a cape"] if look.cape and look.framing != "bust" else []
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}".replace("a {}", f"{_a(look.light)}").format(
        *[look.light] * 9
    )
    return ", ".join([f"{_who(look)} with {listed}", *_pose(look), _where(look)])


def _who(look: Look) -> str:
    if look.shell.endswith(" skin"):
        dress = "robe" if look.torso == "robe" else "suit"
        return f"{_a(look.shell.replace(' ', '-'))}ned {look.kind} in {_a(look.suit)} {dress}"
    if look.kind == "armoured figure":
        plates = look.shell if look.shell == look.suit else f"{look.shell} and {look.suit}"
        return f"an armoured figure in {plates} armour"
    return f"{_a(look.shell)} {look.kind}"


def _pose(look: Look) -> list[str]:
    """What the arms do, where they can be seen; what the legs do, where those can be."""
    unseen = {"bust": tuple(POSES), "half": ("standing", "walking"), "full": ()}[look.framing]
    return [] if look.pose in unseen else [look.pose]


def _where(look: Look) -> str:
    if look.ground is None:
        return "cut out on a plain ground"
    words = GROUNDS[look.ground]
    return words.replace("a {}", _a(look.ground_colour)).replace("{}", look.ground_colour)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
