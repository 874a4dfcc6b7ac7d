"""Any still is read as it is meant to be seen."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from curate.errors import Rejected
from curate.media.picture import Picture, probe_picture, read_picture, still
from curate.records import Still

FIELDS = (
    (250, 10, 20),
    (10, 240, 30),
    (30, 20, 230),
    (200, 200, 60),
)  # top left, top right, bottom left, bottom right
LOSSLESS = {".png": {}, ".webp": {"lossless": True}, ".tif": {}, ".bmp": {}}
TURNED = {  # by EXIF: the stored fields as they are seen, in the same order
    1: (0, 1, 2, 3), 2: (1, 0, 3, 2), 3: (3, 2, 1, 0), 4: (2, 3, 0, 1),
    5: (0, 2, 1, 3), 6: (2, 0, 3, 1), 7: (3, 1, 2, 0), 8: (1, 3, 0, 2),
}  # fmt: skip
SRGB_D50 = ((0.43607, 0.38515, 0.14307), (0.22249, 0.71687, 0.06061), (0.01392, 0.09708, 0.71410))
WIDE = {  # D50 primaries as columns, gamma
    "Adobe RGB": (((0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457)), 2.19921875),
    "P3": (((0.51512, 0.29198, 0.15710), (0.24120, 0.69225, 0.06657), (-0.00105, 0.04189, 0.78407)), 2.19921875),
}  # fmt: skip


def drawn() -> Any:
    """60 x 40 pixels, a colour in each quarter."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30], pixels[:20, 30:], pixels[20:, :30], pixels[20:, 30:] = FIELDS
    return Pillow.fromarray(pixels)


def fields(shown: Any) -> list[tuple[int, ...]]:
    """The colour in the middle of each quarter."""
    high, wide = shown.shape[:2]
    return [tuple(map(int, shown[y * high // 4, x * wide // 4])) for y, x in ((1, 1), (1, 3), (3, 1), (3, 3))]


def near(shown: Any, wanted: Any, levels: int = 6) -> bool:
    return bool(np.abs(np.array(shown, int) - np.array(wanted, int)).max() <= levels)


def oriented(number: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = number
    return exif.tobytes()


def refusal(path: Path) -> Rejected:
    with pytest.raises(Rejected) as why:
        read_picture(path)
    assert len(str(why.value).splitlines()) == 1
    return why.value


def profile(space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 2 with these tags."""
    body, table, at = b"", b"", 128 + 4 + 12 * (len(tags) + 1)
    for name, data in {**tags, b"wtpt": xyz(0.9642, 1.0, 0.8249)}.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    whole = struct.pack(">I", len(tags) + 1) + table + body
    head = struct.pack(">I4sI4s4s4s", 128 + len(whole), b"\0" * 4, 0x02400000, kind, space, pcs)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + xyz(0.9642, 1.0, 0.8249)[8:]
    return head.ljust(128, b"\0") + whole


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def rgb_profile(primaries: Any, power: float) -> bytes:
    columns = zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.array(primaries).T, strict=True)
    curves = {name: gamma(power) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return profile(b"RGB ", {**{name: xyz(*column) for name, column in columns}, **curves})


def cmyk_profile() -> bytes:
    """Inks of its own: cyan prints red (Lab 50 60 40), anything with black is black, the rest is white."""
    straight = bytes(range(256))
    clut = b"".join(
        bytes((0, 128, 128) if n & 1 else (128, 188, 168) if n & 8 else (255, 128, 128)) for n in range(16)
    )
    matrix = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + straight * 4 + clut + straight * 3
    return profile(b"CMYK", {b"A2B0": table}, b"prtr", b"Lab ")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif", ".heic"])
@pytest.mark.parametrize("number", TURNED)
def test_a_picture_stands_upright(tmp_path: Path, suffix: str, number: int) -> None:
    drawn().save(path := tmp_path / f"a{suffix}", exif=oriented(number), quality=95)
    shown, probed = read_picture(path), probe_picture(path)
    assert near(fields(shown), [FIELDS[n] for n in TURNED[number]])
    assert (probed.height, probed.width) == shown.shape[:2] == ((60, 40) if number > 4 else (40, 60))


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGB", ".png"), ("RGB", ".bmp"), ("RGB", ".webp"), ("RGB", ".tif"), ("CMYK", ".tif"), ("P", ".gif"), ("P", ".png")],
)  # fmt: skip
def test_kinds_that_lose_nothing_are_read_exactly(tmp_path: Path, mode: str, suffix: str) -> None:
    drawn().convert(mode, palette=Pillow.Palette.ADAPTIVE).save(
        path := tmp_path / f"a{suffix}", lossless=True
    )
    assert fields(read_picture(path)) == list(FIELDS)
    assert Picture(path).alpha is None


@pytest.mark.parametrize("mode", ["1", "L", "YCbCr"])
def test_grey_and_video_colours(tmp_path: Path, mode: str) -> None:
    given = drawn().convert(mode)
    given.save(path := tmp_path / "a.tif")
    assert near(read_picture(path), np.asarray(given.convert("RGB")), 2)


def test_cmyk_of_a_jpeg_is_not_taken_for_its_negative(tmp_path: Path) -> None:
    drawn().convert("CMYK").save(path := tmp_path / "a.jpg", quality=95)
    assert near(fields(read_picture(path)), FIELDS)


def test_ycck_of_a_jpeg(tmp_path: Path) -> None:
    """The same bytes, told to be YCCK, are luma and colour differences: as libjpeg has them, of the negative."""
    y, blue, red = 90, 110, 160
    Pillow.new("CMYK", (16, 16), (255 - y, 255 - blue, 255 - red, 0)).save(
        path := tmp_path / "a.jpg", quality=95
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    path.write_bytes(data)
    negative = (
        y + 1.402 * (red - 128),
        y - 0.344 * (blue - 128) - 0.714 * (red - 128),
        y + 1.772 * (blue - 128),
    )
    assert near(read_picture(path)[0, 0], [255 - round(value) for value in negative], 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits(tmp_path: Path, suffix: str) -> None:
    """Of a PNG in colour Pillow keeps the upper byte: at most one level off."""
    ramp = np.linspace(0, 65535, 2400).round().astype(np.uint16).reshape(40, 60)
    for name, pixels in {"grey": ramp, "colour": np.dstack([ramp, ramp[::-1], ramp // 2])}.items():
        cv2.imwrite(str(path := tmp_path / f"{name}{suffix}"), pixels)
        wanted = (np.atleast_3d(pixels)[..., ::-1] / 257).round() * np.ones(3)
        assert near(read_picture(path), wanted, 1 if name == "colour" else 0)


def test_sixteen_bits_big_end_first(tmp_path: Path) -> None:
    pixels = (np.arange(2400).reshape(40, 60) * 27).astype(">u2")
    Pillow.frombytes("I;16B", (60, 40), pixels.tobytes()).save(path := tmp_path / "a.tif")
    assert np.array_equal(read_picture(path)[..., 0], (pixels / 257).round())


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif", ".heic"])
def test_what_is_transparent_shows_the_background(tmp_path: Path, suffix: str) -> None:
    given = drawn().convert("RGBA")
    given.putalpha(Pillow.fromarray(np.repeat(np.uint8([[0], [128], [255], [255]]), 10, 0).repeat(60, 1)))
    given.save(path := tmp_path / f"a{suffix}", lossless=True, quality=95)
    shown, alpha = read_picture(path, "#0000ff"), Picture(path).alpha
    assert alpha is not None and near(alpha[[2, 15, 30], 30], [0, 128, 255], 2)
    assert near(shown[2], (0, 0, 255), 4) and near(shown[30, 5], FIELDS[2])
    assert near(shown[15, 5], (126, 5, 137), 6)


@pytest.mark.parametrize(
    ("mode", "clear", "suffix"),
    [("P", 0, ".png"), ("P", bytes([0, 255]), ".png"), ("P", 0, ".gif"), ("L", 77, ".png"), ("RGB", (9, 8, 7), ".png"), ("1", 0, ".png")],
)  # fmt: skip
def test_one_colour_that_is_transparent(tmp_path: Path, mode: str, clear: Any, suffix: str) -> None:
    given = Pillow.new(mode, (8, 8), clear if isinstance(clear, int | tuple) else 0)
    if mode == "P":
        given.putpalette([10, 20, 30, 200, 100, 50])
    given.paste(
        255 if mode == "1" else 1 if mode == "P" else (200 if mode == "L" else (200, 100, 50)), (4, 0, 8, 8)
    )  # type: ignore[arg-type]
    given.save(path := tmp_path / f"a{suffix}", transparency=clear)
    alpha = Picture(path).alpha
    assert alpha is not None and not alpha[:, :4].any() and alpha[:, 4:].min() == 255
    shown = read_picture(path, "#00ff00")
    assert (shown[:, :4] == (0, 255, 0)).all() and not (shown[:, 4:] == (0, 255, 0)).all(axis=2).any()


def test_one_grey_of_sixteen_bits_that_is_transparent(tmp_path: Path) -> None:
    pixels = np.array([[1000, 1001, 60000]], np.uint16)
    Pillow.fromarray(pixels).save(path := tmp_path / "a.png", transparency=1001)
    assert np.array_equal(Picture(path).alpha, [[255, 0, 255]])
    assert read_picture(path, "#ff0000")[0].tolist() == [[4, 4, 4], [255, 0, 0], [233, 233, 233]]


def test_an_alpha_that_hides_nothing_is_none(tmp_path: Path) -> None:
    drawn().convert("RGBA").save(path := tmp_path / "a.png")
    assert Picture(path).alpha is None


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_wide_gamut_is_converted_and_the_alpha_kept(tmp_path: Path, name: str, mode: str) -> None:
    primaries, power = WIDE[name]
    wanted = np.array([200, 100, 50])
    linear = np.where(wanted > 10, ((wanted / 255 + 0.055) / 1.055) ** 2.4, wanted / 255 / 12.92)
    stored = np.linalg.solve(np.array(primaries), np.array(SRGB_D50) @ linear) ** (1 / power) * 255
    colour = (*(round(float(value)) for value in stored), *((255,) if mode == "RGBA" else ()))
    given = Pillow.new(mode, (8, 8), colour)
    if mode == "RGBA":
        given.putpixel((0, 0), (*colour[:3], 40))
    given.save(path := tmp_path / "a.png", icc_profile=rgb_profile(primaries, power))
    assert not near(colour[:3], wanted, 10) and near(read_picture(path)[4, 4], wanted, 2)
    alpha = Picture(path).alpha
    assert alpha is None if mode == "RGB" else alpha is not None and alpha[0, 0] == 40 and alpha[4, 4] == 255


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_with_a_profile(tmp_path: Path, mode: str) -> None:
    """Linear grey: 55 of 255 is a linear .216, which sRGB spells 128."""
    linear = profile(b"GRAY", {b"kTRC": gamma(1.0)})
    Pillow.new(mode, (8, 8), 55 if mode == "L" else (55, 255)).save(
        path := tmp_path / "a.png", icc_profile=linear
    )
    assert near(read_picture(path), (128, 128, 128), 2)


def test_grey_with_a_profile_for_colours(tmp_path: Path) -> None:
    linear = rgb_profile(SRGB_D50, 1.0)
    Pillow.new("L", (8, 8), 55).save(path := tmp_path / "a.png", icc_profile=linear)
    assert near(read_picture(path), (128, 128, 128), 2)


def test_cmyk_with_a_profile(tmp_path: Path) -> None:
    for name, inks in {"cyan": (255, 0, 0, 0), "none": (0, 0, 0, 0), "black": (0, 0, 0, 255)}.items():
        sheet = Pillow.new("CMYK", (16, 16), inks)
        sheet.save(tmp_path / f"{name}.jpg", quality=100, icc_profile=cmyk_profile())
    red, green, blue = (int(value) for value in read_picture(tmp_path / "cyan.jpg")[8, 8])
    assert red > 180 and red - green > 90 and red - blue > 90
    assert read_picture(tmp_path / "none.jpg").min() > 245 and read_picture(tmp_path / "black.jpg").max() < 10


def test_srgb_is_left_as_it_is(tmp_path: Path) -> None:
    held = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    drawn().save(path := tmp_path / "a.png", icc_profile=held)
    assert near(fields(read_picture(path)), FIELDS, 1)


@pytest.mark.parametrize(
    "held", [b"nonsense" * 20, profile(b"GRAY", {b"kTRC": gamma(1.0)}), rgb_profile(SRGB_D50, 2.2)[:200]]
)
def test_a_profile_that_cannot_be_used_changes_nothing(tmp_path: Path, held: bytes) -> None:
    drawn().save(path := tmp_path / "a.png", icc_profile=held)
    assert fields(read_picture(path)) == list(FIELDS)


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x01"])
def test_exif_that_cannot_be_parsed_changes_nothing(tmp_path: Path, exif: bytes) -> None:
    drawn().save(path := tmp_path / "a.jpg", exif=exif, quality=95)
    assert near(fields(read_picture(path)), FIELDS)


def test_a_picture_is_read_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    drawn().save(path := tmp_path / "a.jpg", format="PNG")
    assert fields(read_picture(path)) == list(FIELDS) and probe_picture(path).format == "PNG"
    path.rename(path := tmp_path / "a")
    assert probe_picture(path).format == "PNG"
    drawn().save(path := tmp_path / "a.JPG", format="JPEG")
    assert probe_picture(path).format == "JPEG"


def test_a_still_is_the_part_it_names(tmp_path: Path) -> None:
    given = drawn().convert("RGBA")
    given.putpixel((31, 1), (0, 0, 0, 0))
    given.save(path := tmp_path / "a.png")
    part = still(path, Still(crop=(30, 0, 60, 20), background="#102030"), 30, 20)
    assert tuple(part[1, 1]) == (0x10, 0x20, 0x30) and tuple(part[10, 10]) == FIELDS[1]
    assert still(path, Still(crop=(0, 0, 60, 40), background="#000000"), 15, 10).shape == (10, 15, 3)
    assert still(path, Still(crop=(0, 20, 30, 40), background="#000000"), 90, 60)[30, 40].tolist() == list(
        FIELDS[2]
    )
