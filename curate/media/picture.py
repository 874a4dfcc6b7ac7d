"""Pictures in: any still of the common kinds, as it is meant to be seen, in sRGB."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms, ImageColor, UnidentifiedImageError
from PIL.Image import Transpose

from curate.errors import Rejected
from curate.media.video import Image
from curate.records import Still

MOST_PIXELS = 178_956_970  # where Pillow refuses too: a file of a few kilobytes can ask for gigabytes
MOST_BYTES = 2_000_000_000
FORMATS = {  # by Pillow's names: the suffixes that say so
    "PNG": (".png",), "JPEG": (".jpg", ".jpeg", ".jfif"), "MPO": (".jpg", ".jpeg", ".mpo"), "WEBP": (".webp",),
    "AVIF": (".avif",), "HEIF": (".heic", ".heif"), "GIF": (".gif",), "BMP": (".bmp",), "TIFF": (".tif", ".tiff"),
}  # fmt: skip
# Pictures to those who keep them, and not read here: they are named in the ledger rather than not seen.
STRANGE = (".jxl", ".jp2", ".svg", ".psd", ".tga", ".exr", ".hdr", ".ico", ".dng", ".cr2", ".nef", ".arw")
SUFFIXES = tuple(sorted({suffix for suffixes in FORMATS.values() for suffix in suffixes} | {*STRANGE}))
BESIDE = ("MPO", "HEIF")  # several pictures in these are previews and bursts: the first is the picture
TURNS = {  # by EXIF's orientation
    2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
}  # fmt: skip
GREYS = ("1", "L", "LA", "La")
MODES = (*GREYS, "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L", "I;16N")
EIGHT_BITS = np.round(np.arange(65536) / 257).astype(np.uint8)  # of sixteen
SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # Pillow's modes by the names of ICC
# What Pillow raises on EXIF that is none.
UNPARSED = (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error)
STARTS = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WEBP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
}  # fmt: skip
OTHERS = {
    b"%PDF": "a PDF", b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL ": "JPEG XL", b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"8BPS": "Photoshop", b"PK\x03\x04": "a zip archive", b"version https://git-lfs": "a pointer of Git LFS",
    b"\0" * 12: "zeros",
}  # fmt: skip
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class Probe(NamedTuple):
    """What a picture holds, before anything is decoded."""

    width: int  # as displayed, after EXIF orientation
    height: int
    format: str  # Pillow's name


class Picture:
    """A whole picture, decoded once: upright, in sRGB."""

    def __init__(self, path: str | Path) -> None:
        """Raises Rejected as `probe_picture`."""
        with _opened(Path(path)) as picture:
            self.format = str(picture.format)  # Pillow's name
            self._shown = _shown(picture)

    @property
    def alpha(self) -> Image | None:
        """How opaque each pixel is, (H, W) uint8; None where all are."""
        if self._shown.mode != "RGBA":
            return None
        alpha: Image = np.array(self._shown.getchannel("A"), np.uint8)
        return alpha if alpha.min() < 255 else None

    def on(self, background: str) -> Image:
        """(H, W, 3) uint8 with `background` (#rrggbb) behind what is transparent."""
        shown = self._shown
        if shown.mode == "RGBA":
            ground = Pillow.new("RGBA", shown.size, (*ImageColor.getrgb(background)[:3], 255))
            shown = Pillow.alpha_composite(ground, shown).convert("RGB")
        return np.array(shown, np.uint8)


def probe_picture(path: str | Path) -> Probe:
    """Size and kind of a picture.

    Raises Rejected: unreadable, empty_file, not_a_picture, no_decoder (HEIC without its extra), animated,
    several_pages, too_large, odd_mode (32 bits a channel, Lab), broken_picture.
    """
    with _opened(Path(path)) as picture:
        # Pillow gives the size of a TIFF as it will be once it has turned itself
        turned = picture.format != "TIFF" and _orientation(picture) in (5, 6, 7, 8)
        size = picture.size[::-1] if turned else picture.size
        return Probe(size[0], size[1], str(picture.format))


def read_picture(path: str | Path, background: str = "#ffffff") -> Image:
    """The whole picture as it is meant to be seen, (H, W, 3) uint8 sRGB.

    EXIF orientation is applied, an embedded colour profile converted (CMYK without one by Pillow's plain formula),
    sixteen bits are scaled to eight (of a PNG in colour, Pillow keeps the upper eight), and what is transparent
    shows `background`. Raises Rejected as `probe_picture`.
    """
    return Picture(path).on(background)


def still(path: str | Path, ref: Still, width: int, height: int) -> Image:
    """The part of a picture that `ref` names, scaled to (height, width, 3) uint8."""
    whole = read_picture(path, ref.background)
    left, top, right, bottom = ref.crop
    part = np.ascontiguousarray(whole[top:bottom, left:right])
    shrinks = part.shape[1] >= width and part.shape[0] >= height
    scaled: Image = cv2.resize(
        part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return scaled


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """The picture of a file, nothing decoded yet. Whatever is wrong with it leaves as Rejected."""
    data = _bytes_of(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of half-read EXIF and of half its limit of pixels
        try:
            with Pillow.open(BytesIO(data), formats=_formats()) as picture:
                _refuse(picture)
                yield picture
        except Rejected:
            raise
        except Pillow.DecompressionBombError as error:
            raise Rejected("too_large", f"wanted at most {MOST_PIXELS:,} pixels") from error
        except UnidentifiedImageError as error:
            raise _unknown(data) from error
        except MemoryError as error:
            raise Rejected("unreadable", "not enough memory") from error
        except Exception as error:  # on broken bytes decoders raise anything, struct.error and KeyError too
            raise Rejected("broken_picture", f"does not decode: {_first(error)}") from error


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would block for ever
            raise Rejected("unreadable", "not a file, or a link to nothing")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise Rejected("too_large", f"{size:,} bytes, wanted at most {MOST_BYTES:,}")
        data = path.read_bytes()
    except OSError as error:
        raise Rejected("unreadable", error.strerror or str(error)) from error
    if not data:
        raise Rejected("empty_file", "0 bytes")
    return data


def heic_decoder() -> dict[str, str]:
    """Name and version of the extra that decodes HEIC, where it is installed."""
    try:
        return {"pillow-heif": version("pillow-heif")}
    except PackageNotFoundError:
        return {}


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """What can be read here: HEIC where its extra is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        pass
    else:
        register_heif_opener()
    Pillow.init()
    return tuple(each for each in FORMATS if each in Pillow.OPEN)


def _refuse(picture: Pillow.Image) -> None:
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format == "TIFF":
        raise Rejected("several_pages", f"{frames} pages of TIFF, wanted one")
    if frames > 1 and picture.format not in BESIDE:
        raise Rejected("animated", f"{frames} frames of {picture.format}, wanted a still")
    if picture.width * picture.height > MOST_PIXELS:
        raise Rejected(
            "too_large", f"{picture.width}x{picture.height}, wanted at most {MOST_PIXELS:,} pixels"
        )
    if picture.mode not in MODES:  # what white is in 32 bits or Lab, the file does not say
        raise Rejected(
            "odd_mode", f"{picture.format} of Pillow's mode {picture.mode}, wanted 8 or 16 bits a channel"
        )


def _unknown(data: bytes) -> Rejected:
    """Why bytes that are no picture here are none, by how they start."""
    if data[4:8] == b"ftyp":
        if data[8:12] in HEIC and "HEIF" not in _formats():
            return Rejected("no_decoder", "HEIC; wanted the extra `heic` installed, or another format")
        if data[8:12] in (*HEIC, b"avif", b"avis"):
            return Rejected("broken_picture", "starts as HEIC or AVIF, and cannot be read")
        return Rejected("not_a_picture", "a video or sound (ftyp)")
    for start, kind in STARTS.items():
        if data.startswith(start):
            return Rejected("broken_picture", f"starts as {kind}, and cannot be read")
    text = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<"):
        return Rejected(
            "not_a_picture", "SVG, which has no pixels" if b"<svg" in text else "a web page (HTML, XML)"
        )
    found = next((kind for start, kind in OTHERS.items() if data.startswith(start)), "unknown bytes")
    return Rejected("not_a_picture", f"{found}, wanted {', '.join(FORMATS)}")


def _orientation(picture: Pillow.Image) -> int:
    try:
        return int(picture.getexif().get(0x0112, 1))
    except UNPARSED:  # the picture is there all the same
        return 1


def _has_alpha(picture: Pillow.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info


def _shown(picture: Pillow.Image) -> Pillow.Image:
    """The picture upright, RGB or RGBA, in sRGB."""
    said = picture.size
    picture.load()
    if picture.size != said:  # a broken HEIC: crops are planned by what it says
        told = f"says {said[0]}x{said[1]}, holds {picture.width}x{picture.height}"
        raise Rejected("broken_picture", told)
    colours, alpha = _split(picture)
    shown = _in_srgb(colours, picture.info.get("icc_profile"))
    if alpha is not None:
        shown.putalpha(alpha)
    turn = TURNS.get(_orientation(picture))  # a TIFF has turned itself when loading, and says so
    return shown if turn is None else shown.transpose(turn)


def _split(picture: Pillow.Image) -> tuple[Pillow.Image, Pillow.Image | None]:
    """Eight bits of colour (L, RGB or CMYK) and of alpha."""
    if picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        clear = picture.info.get("transparency")
        alpha = (
            None if clear is None else Pillow.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
        )
        return Pillow.fromarray(EIGHT_BITS[values]), alpha
    if _has_alpha(picture):
        layers = picture.convert("LA" if picture.mode in GREYS else "RGBA")
        return layers.convert("L" if layers.mode == "LA" else "RGB"), layers.getchannel("A")
    if picture.mode in ("L", "CMYK"):
        return picture, None
    return picture.convert("L" if picture.mode == "1" else "RGB"), None


def _in_srgb(colours: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    """RGB by the profile; without one, or with one that cannot be used, the values as they are."""
    try:
        held = ImageCms.ImageCmsProfile(BytesIO(profile or b""))
        mode = SPACES.get(held.profile.xcolor_space.strip())
        given = colours.convert("RGB") if (mode, colours.mode) == ("RGB", "L") else colours
        if given.mode == mode:
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(given, held, srgb, outputMode="RGB")
            if converted is not None:
                return converted
    except (ImageCms.PyCMSError, OSError):
        pass
    return colours.convert("RGB")


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
