"""Who is the same person in several films: by the name that a user gave, else by the face."""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

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
    joined = DisjointSet(sorted(means))
    first = dict[str, Place]()
    for place, name in sorted(told.items()):
        joined.merge(first.setdefault(name, place), place)
    pairs = sorted(
        (apart, one, other)
        for one, other in combinations(sorted(means), 2)
        if (apart := identity_distance(means[one], means[other])) <= SAME_MEAN
    )
    for _, one, other in pairs:  # the most alike first, and never two of one film, or of two names
        both = joined.subset(one) | joined.subset(other)
        if not joined.connected(one, other) and _may_be_one(both, told):
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


def _may_be_one(places: Collection[Place], told: Mapping[Place, str]) -> bool:
    films = [clip for clip, _ in places]
    return len(set(films)) == len(films) and len({told[each] for each in places if each in told}) <= 1
