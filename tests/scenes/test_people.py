"""The same person in several films has one name; two people of one film never do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from curate.media.film import Film
from curate.scenes.known import Person
from curate.scenes.people import named
from tests.casts import film


def of(*identities: float) -> Film:
    return film([], [(0.0, 5.0)], 0)._replace(identities=[[who] + [0.0] * 127 for who in identities])


def test_faces_and_given_names_join_films() -> None:
    ada = Person(name="ada", who=1, pictures=("refs/ada/1.png",))
    found = named({"a": (of(0, 1), []), "b": (of(1.1, 5), []), "c": (of(9, 1.2), [ada])})
    assert found == {"a": {0: "a-0", 1: "ada"}, "b": {0: "ada", 1: "b-1"}, "c": {0: "c-0", 1: "ada"}}


def test_two_of_one_film_are_two_people_however_alike() -> None:
    assert len(set(named({"a": (of(0, 0.1), [])})["a"].values())) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3), st.lists(st.integers(0, 9), unique=True), max_size=5
    )
)
def test_names_do_not_depend_on_order(films: dict[str, list[int]]) -> None:
    told = {clip: (of(*(float(who) for who in people)), []) for clip, people in films.items()}
    found = named(told)
    assert found == named(dict(reversed(told.items())))
    who = {(clip, place): people[place] for clip, people in films.items() for place in range(len(people))}
    for (one, a), first in who.items():
        for (other, b), second in who.items():
            assert (found[one][a] == found[other][b]) == (first == second)


def test_whom_a_third_is_like_stay_two() -> None:
    ada, ben = (Person(name=name, who=0, pictures=(f"refs/{name}/1.png",)) for name in ("ada", "ben"))
    found = named({"d": (of(0, 0.8), []), "e": (of(0.4), [])})  # e is like both of d
    assert found["d"][0] != found["d"][1] and found["e"][0] in found["d"].values()
    found = named({"a": (of(0), [ada]), "b": (of(0.8), [ben]), "c": (of(0.41), [])})
    assert (found["a"][0], found["b"][0], found["c"][0]) == ("ada", "ben", "ben")
