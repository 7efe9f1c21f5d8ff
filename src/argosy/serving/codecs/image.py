"""image/*: photographs in, as PIL image or array; PNG and JPEG out."""

import io
from typing import Any, Final

from argosy.errors import DecodeError, NotAcceptableError, PredictError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import require_room
from argosy.serving.inputs.kind import InputKind

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is read. Pillow knows more, and some of it runs other programs or is hardly ever tested."""


class ImageCodec:
    """Any image that Pillow's common readers know, whatever subtype the Content-Type has; answers are `image/png`.

    The bytes say which format it is. Arrays are uint8 of shape (height, width, 3), RGB, whatever the image has: a
    predictor that wants transparency, grey or 16 bits asks for the PIL image. EXIF's orientation is not applied.
    """

    media_type = "image/*"
    kinds = frozenset({InputKind.IMAGE, InputKind.ARRAY, InputKind.ANY})
    cells_are_text = False
    _format = "PNG"

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The image, fully read; the first frame where there are several.

        Raises:
            DecodeError: No image, cut short, or with more than 64 million pixels.
        """
        import numpy as np
        from PIL import Image

        try:
            image = Image.open(io.BytesIO(body), formats=_FORMATS)
            require_room(image.width * image.height * 4, "the image")
            image.load()
            pixels = np.asarray(image.convert("RGB")) if kind is InputKind.ARRAY else None
        except DecodeError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise DecodeError("the image has too many pixels") from None
        except Exception:  # Pillow's readers raise whatever they stumble over
            raise DecodeError("the body is not an image", got=f"{len(body)} bytes", want=", ".join(_FORMATS)) from None
        return image if pixels is None else pixels

    def encode(self, prediction: Any) -> bytes | memoryview:  # Any: told apart by what it is
        """A PIL image, or a uint8 array of shape (height, width) or (height, width, 1, 3 or 4); `bytes` unchanged.

        Raises:
            NotAcceptableError: Anything else.
            PredictError: Pillow cannot write it.
        """
        from PIL import Image

        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        image = prediction if isinstance(prediction, Image.Image) else _from_array(prediction)
        if image is None:
            raise NotAcceptableError(
                "the prediction is not an image", got=f"`{self.media_type}` in Accept", want="application/json"
            )
        if self._format == "JPEG" and image.mode not in ("L", "RGB", "CMYK"):
            image = image.convert("RGB")
        file = io.BytesIO()
        try:
            image.save(file, self._format)
        except (OSError, ValueError) as error:
            raise PredictError("the prediction cannot be written as an image", got=f"mode {image.mode}") from error
        return file.getvalue()


class PngCodec(ImageCodec):
    """Reads any image, answers with PNG."""

    media_type = "image/png"


class JpegCodec(ImageCodec):
    """Reads any image, answers with JPEG, without transparency."""

    media_type = "image/jpeg"
    _format = "JPEG"


def _from_array(prediction: Any) -> Any:  # Any: told apart by what it is
    from PIL import Image

    shape: tuple[int, ...] = getattr(prediction, "shape", ())
    dtype = str(getattr(prediction, "dtype", ""))
    if dtype != "uint8" or 0 in shape:
        return None
    if len(shape) == 3 and shape[2] == 1:
        prediction = prediction[:, :, 0]
    elif not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        return None
    return Image.fromarray(prediction)
