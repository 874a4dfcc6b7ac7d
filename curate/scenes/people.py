"""Who is the same person in several films: by the name that a user gave, else by the face."""

from collections.abc import Mapping, Sequence

from scipy.cluster.hierarchy import DisjointSet

from curate.film_plan import SAME_MEAN
from curate.media.faces import identity_distance
from curate.media.film import Film
from curate.scenes.known import Person

Place = tuple[str, int]  # id of a clip, number of a character in it


def named(films: Mapping[str, tuple[Film, Sequence[Person]]]) -> dict[str, dict[int, str]]:
    """For each film, by its clip's id, who its characters are: a user's name, or `ID-NUMBER` of the first film they are in."""
    means = {
        (clip, who): mean for clip, (film, _) in films.items() for who, mean in enumerate(film.identities)
    }
    told = {(clip, each.who): each.name for clip, (_, cast) in films.items() for each in cast}
    joined, places = DisjointSet(sorted(means)), sorted(means)
    first = dict[str, Place]()
    for place, name in sorted(told.items()):
        joined.merge(first.setdefault(name, place), place)
    for number, one in enumerate(places):
        for other in places[:number]:
            apart = one[0] == other[0] or (
                one in told and other in told
            )  # these are two people, or one already
            if not apart and identity_distance(means[one], means[other]) <= SAME_MEAN:
                joined.merge(one, other)
    names = dict[Place, str]()
    for members in joined.subsets():
        given = sorted({told[each] for each in members if each in told})
        clip, who = min(members)
        names |= dict.fromkeys(members, given[0] if given else f"{clip}-{who}")
    return {
        clip: {who: names[clip, who] for who in range(len(film.identities))}
        for clip, (film, _) in films.items()
    }
