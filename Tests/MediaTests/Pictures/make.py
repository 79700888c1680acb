"""Writes the pictures beside this file, each 4 x 2 patches of 8 x 8 pixels.

Made with Pillow 13.0.0 and OpenCV 4 (16-bit alpha); run again only to add a kind.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

here = Path(__file__).parent
patches = np.array(
    [
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]],
        [[0, 0, 0], [128, 128, 128], [255, 255, 0], [255, 0, 255]],
    ],
    np.uint8,
)
rgb = np.kron(patches, np.ones((8, 8, 1), np.uint8))
alpha = np.full((*rgb.shape[:2], 1), 128, np.uint8)
rgba = np.concatenate([rgb, alpha], axis=2)
color = Image.fromarray(rgb)
palette = color.convert("P", palette=Image.Palette.ADAPTIVE)
grey16 = Image.fromarray(rgb[:, :, 0].astype(np.uint16) * 257)

color.save(here / "rgb.png")
palette.save(here / "palette.png")
Image.fromarray(rgb[:, :, 0]).save(here / "grey.png")
grey16.save(here / "grey16.png")
Image.fromarray(rgba).save(here / "alpha.png")
cv2.imwrite(str(here / "alpha16.png"), rgba[:, :, [2, 1, 0, 3]].astype(np.uint16) * 257)
color.save(here / "full.jpg", quality=95, subsampling=0)
color.save(here / "progressive.jpg", quality=95, progressive=True)
color.convert("L").save(here / "grey.jpg", quality=95)
color.convert("CMYK").save(here / "cmyk.jpg", quality=95)
color.save(here / "lossless.webp", lossless=True)
color.save(here / "lossy.webp", quality=95)
Image.fromarray(rgba).save(here / "alpha.webp", lossless=True)
color.save(here / "rgb.bmp")
palette.save(here / "palette.bmp")
color.save(here / "rgb.tiff", compression="tiff_lzw")
grey16.save(here / "grey16.tiff")
color.save(here / "other.gif")
for orientation in range(2, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    color.save(here / f"exif{orientation}.jpg", quality=95, subsampling=0, exif=exif)
