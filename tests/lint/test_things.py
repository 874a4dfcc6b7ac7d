"""Dark clothing and things that leave their place, in English and Chinese: tripping and not."""

import pytest

from curate.lint import fixed, lint


def levels(text: str, code: str) -> list[str]:
    return [fault.level for fault in lint(text) if fault.code == code]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a man in a black coat", "a man in a BLACK coat"),
        ("Black coat, trousers and boots", "BLACK coat, BLACK trousers and BLACK boots"),
        ("a black leather jacket and long boots", "a BLACK leather jacket and BLACK long boots"),
        ("a dark blue silk robe", "a DARK BLUE silk robe"),
        ("jet-black armour, a navy cape", "JET-BLACK armour, a NAVY cape"),
        ("a dark suit", "a DARK suit"),
        ("A man in a BLACK coat. The coat is wet.", "A man in a BLACK coat. The BLACK coat is wet."),
        (
            "A man in a black coat. His long coat is wet.",
            "A man in a BLACK coat. His BLACK long coat is wet.",
        ),
        ("黑色礼帽和西装", "黑色礼帽和黑色西装"),
        ("黑色的长袍、靴子和披风", "黑色的长袍、黑色的靴子和黑色的披风"),
        ("深蓝色西装与领带", "深蓝色西装与深蓝色领带"),
        ("男子身穿黑色长袍，他的长袍飘动", "男子身穿黑色长袍，他的黑色长袍飘动"),
    ],
)
def test_dark_colours_are_glued_to_every_garment(text: str, wanted: str) -> None:
    assert fixed(text) == wanted
    assert set(levels(text, "dark_clothing")) == {"fixed"}
    assert levels(wanted, "dark_clothing") == []


@pytest.mark.parametrize("text", [
    "a white shirt and trousers", "BLACK suit, white shirt and tie", "a BLACK suit and a hat", "black hair, black cat, black eyes",
    "a black-and-white dress", "a black and white suit", "BLACK coat and white hat. The hat is wet.",
    "A man in a BLACK coat faces a woman. Her coat is dry.", "a man in a BLACK coat, a woman in a red coat. The coat is wet.",
    "a dark room with a coat", "black-haired man in a red coat", "BLACK robe and red dress",
    "黑色西装，白色衬衫和领带", "黑发男子，红色长袍", "黑衣人", "男子身穿黑色长袍，女子身穿红裙，她的长袍", "白衣和红裙", "黑夜里的长袍",
])  # fmt: skip
def test_other_clothing_stays(text: str) -> None:
    assert levels(text, "dark_clothing") == []
    assert fixed(text) == text


@pytest.mark.parametrize("text", [
    "A man dressed in black.", "He wears black.", "a black-clad man", "His suit is black.", "他一身黑色，站着。", "她身穿黑色",
])  # fmt: skip
def test_a_dark_colour_without_a_garment_is_a_warning(text: str) -> None:
    assert levels(text, "dark_clothing") == ["warning"]
    assert fixed(text) == text


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("his fedora flies off", "the fedora STAYS ON the head"),
        ("her hat suddenly falls to the ground", "the hat STAYS ON the head"),
        ("the cloak slips off", "the cloak STAYS ON the body"),
        ("the gloves fall to the floor", "the gloves STAY ON the body"),
        ("the sword slips from his hand", "the sword STAYS IN the hand"),
        ("A kick knocks the sword out of his hand", "the sword STAYS IN the hand"),
        ("He drops the teacup while running.", "the teacup STAYS IN the hand"),
        ("A man spins and takes his hat off.", "the hat STAYS ON the head"),
        ("他的礼帽飞落在地", "礼帽始终戴在头上"),
        ("玉佩从手中滑落", "玉佩始终握在手中"),
        ("黑袍突然脱落", "袍始终穿在身上"),
        ("一脚踢飞了他的剑", "剑始终握在手中"),
        ("他在旋转，甩掉帽子", "帽子始终戴在头上"),
    ],
)
def test_things_that_detach_are_errors_with_the_wording(text: str, stays: str) -> None:
    assert levels(text, "object_detaches") == ["error"]
    (message,) = [fault.message for fault in lint(text) if fault.code == "object_detaches"]
    assert stays in message and "two clips" in message


@pytest.mark.parametrize(
    "text", ["He takes off his hat.", "She drops the letter.", "他摘下礼帽", "她脱下黑色外套"]
)
def test_what_is_put_away_at_rest_is_a_warning(text: str) -> None:
    assert levels(text, "object_put_away") == ["warning"] and not levels(text, "object_detaches")


@pytest.mark.parametrize("text", [
    "a bird flies off", "the plane takes off", "She falls to the floor", "A woman in a red dress falls to the floor",
    "The fedora STAYS ON and never flies off", "without his hat flying off", "his hat does not fall off", "her hair falls to her waist",
    "He takes the sword and runs", "The coat falls to his ankles", "He holds the cup while running", "He drops to his knees",
    "剑没有掉落", "帽子不会飞走", "花瓣飘落", "礼帽始终戴在头上", "他握着剑旋转", "衣袖垂落", "女子跌落在地",
])  # fmt: skip
def test_what_stays_or_is_no_thing(text: str) -> None:
    assert not levels(text, "object_detaches") and not levels(text, "object_put_away")
