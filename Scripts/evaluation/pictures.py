"""Measures of pictures: uint8 [..., H, W, 3], RGB."""

import cv2
import numpy as np

# BT.601, full range: rows Y, Cb, Cr.
YCBCR = np.array(((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)))


def psnr(a, b):
    """dB, over all pixels of both."""
    return float(-10 * np.log10(((a.astype(float) - b) ** 2).mean() / 255**2 + 1e-12))


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def ssim(a, b):
    """Mean over clips [T, H, W, 3] of the structural similarity of luma (Gaussian, sigma 1.5)."""
    return float(np.mean([_ssim(luma(x), luma(y)) for x, y in zip(a, b, strict=True)]))


def _ssim(a, b):
    a, b = a.astype(np.float32), b.astype(np.float32)

    def blur(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)[5:-5, 5:-5]

    mean_a, mean_b = blur(a), blur(b)
    variance_a, variance_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (numerator / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))).mean()


def sharpness(frame):
    """Variance of the Laplacian of luma."""
    return float(cv2.Laplacian(luma(frame), cv2.CV_32F).var())


def colour_means(frame):
    """Mean Y, Cb, Cr [3] in levels of 255."""
    return YCBCR @ frame.reshape(-1, 3).mean(0)
