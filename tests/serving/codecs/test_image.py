import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from argosy.errors import DecodeError, NotAcceptableError
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import content_type, find

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def written(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("name", ["image/png", "image/*", "application/x-image", "image/x-whatever"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_bytes_say_which_format_it_is(name: str, kind: str) -> None:
    body = written(Image.fromarray(PIXELS), kind)
    image = find(name).decode(body, InputKind.IMAGE, content_type("image/png"))
    assert isinstance(image, Image.Image)
    assert image.format == kind
    array = find(name).decode(body, InputKind.ARRAY, content_type("image/png"))
    assert isinstance(array, np.ndarray)
    assert (array.shape, array.dtype) == ((4, 6, 3), np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
def test_an_array_has_three_channels_whatever_the_image_has(mode: str) -> None:
    body = written(Image.fromarray(PIXELS).convert(mode), "TIFF")
    array = find("image/*").decode(body, InputKind.ARRAY, content_type("image/tiff"))
    assert isinstance(array, np.ndarray)
    assert array.shape == (4, 6, 3)


@pytest.mark.parametrize(("name", "kind"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
@pytest.mark.parametrize(
    "prediction",
    [
        PIXELS,
        PIXELS[:, :, 0],
        PIXELS[:, :, :1],
        np.dstack([PIXELS, PIXELS[:, :, 0]]),
        Image.fromarray(PIXELS).convert("P"),
    ],
)
def test_answers_are_of_the_type_that_was_asked_for(name: str, kind: str, prediction: object) -> None:
    image = Image.open(io.BytesIO(find(name).encode(prediction)))
    assert (image.format, image.size) == (kind, (6, 4))


def test_a_png_comes_back_as_it_went() -> None:
    body = find("image/png").encode(PIXELS)
    np.testing.assert_array_equal(find("image/png").decode(body, InputKind.ARRAY, content_type("image/png")), PIXELS)
    assert find("image/png").encode(body) == body


@pytest.mark.parametrize("prediction", ["text", PIXELS.astype(float), PIXELS[:, :, :2], PIXELS[:0], [1, 2]])
def test_what_is_no_image_is_not_acceptable(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        find("image/png").encode(prediction)


@pytest.mark.parametrize("side", [9_000, 20_000, 100_000])
def test_an_image_with_too_many_pixels_is_refused_before_it_is_read(side: int) -> None:
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    end = struct.pack(">I", 4) + b"IDAT" + b"abcd" + struct.pack(">I", zlib.crc32(b"IDATabcd"))
    body = b"\x89PNG\r\n\x1a\n" + chunk + end
    with pytest.raises(DecodeError, match=r"the image (would be|has) too"):
        find("image/png").decode(body, InputKind.IMAGE, content_type("image/png"))


def test_formats_that_run_other_programs_are_not_read() -> None:
    with pytest.raises(DecodeError, match="not an image"):
        find("image/*").decode(
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", InputKind.IMAGE, content_type("image/png")
        )
