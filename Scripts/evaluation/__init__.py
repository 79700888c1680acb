"""The evaluation of a shipped model on held-out worlds, one file per kind of measurement.

    python -m evaluation --motionstream ../.build/release/motionstream --model ../Models/NAME \
        --out runs/evaluation

`README.md` says what is measured and how.

Letters: T frames, N points, H W picture size.
"""
