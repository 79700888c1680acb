"""Times the kernels of Sources/CKernels against PyTorch, both on the same number of threads.

    python Scripts/bench/kernels.py [--threads 2 | --cpu] [--rounds 15] [--only linear]

The sources are compiled into a shared library in a temporary directory (clang is needed). Ours and
PyTorch's calls alternate, each repeated for about 20 ms a round, and the table gives the median and
the minimum over the rounds: on a busy machine only figures of one run can be compared, and only
those of --cpu (one thread, its own running time) mean much. Every result is checked against
PyTorch's first.
"""

import argparse
import ctypes
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
NONE, GELU, SILU, RELU = 0, 1, 2, 3
STORE = 0


def build(directory):
    library = pathlib.Path(directory) / "kernels.so"
    sources = ROOT / "Sources" / "CKernels"
    subprocess.run(
        ["clang", "-O3", "-ffp-contract=fast", "-fPIC", "-shared", "-I", sources]
        + ["-I", sources / "include", *sorted(sources.glob("*.c")), "-o", library]
        + ["-lm", "-lpthread", "-lopenblas"],
        check=True,
    )
    lib = ctypes.CDLL(str(library))
    for name in ("ms_pool_create", "ms_linear_prepare", "ms_conv_prepare"):
        getattr(lib, name).restype = ctypes.c_void_p
    for name in ("ms_attention_scratch", "ms_conv_scratch"):
        getattr(lib, name).restype = ctypes.c_int64
    lib.ms_kernel_path.restype = ctypes.c_char_p
    return lib


def pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


def n(value):
    return ctypes.c_int64(value)


def linear_case(lib, pool, tokens, inputs, outputs, activation=NONE):
    x, y = torch.randn(tokens, inputs), torch.empty(tokens, outputs)
    w, b = torch.randn(outputs, inputs) / inputs**0.5, torch.randn(outputs)
    prepared = ctypes.c_void_p(lib.ms_linear_prepare(pointer(w), pointer(b), n(outputs), n(inputs)))

    def ours():
        lib.ms_linear(
            pool,
            prepared,
            pointer(x),
            n(inputs),
            pointer(y),
            n(outputs),
            n(tokens),
            activation,
            STORE,
            None,
            n(1),
        )
        return y

    def theirs():
        r = F.linear(x, w, b)
        return F.gelu(r, approximate="tanh") if activation == GELU else r

    name = f"linear {tokens}x{inputs}x{outputs}" + (" GELU" if activation == GELU else "")
    return name, 2 * tokens * inputs * outputs, ours, theirs


def attention_case(lib, pool, queries, keys, heads, width):
    q, k, v = (torch.randn(rows, heads * width) for rows in (queries, keys, keys))
    o = torch.empty(queries, heads * width)
    size = lib.ms_attention_scratch(pool, n(queries), n(keys), n(heads), n(width))
    scratch = torch.empty(size)
    D = n(heads * width)

    def ours():
        lib.ms_attention(
            pool,
            pointer(q),
            D,
            pointer(k),
            D,
            pointer(v),
            D,
            pointer(o),
            D,
            n(queries),
            n(keys),
            n(heads),
            n(width),
            ctypes.c_float(width**-0.5),
            None,
            pointer(scratch),
        )
        return o

    def split(x):
        return x.view(1, x.shape[0], heads, width).transpose(1, 2)

    def theirs():
        r = F.scaled_dot_product_attention(split(q), split(k), split(v))
        return r.transpose(1, 2).reshape(queries, heads * width)

    return (
        f"attention {queries}x{keys}, {heads} x {width}",
        4 * queries * keys * heads * width,
        ours,
        theirs,
    )


def conv_case(lib, pool, inputs, outputs, height, width, stride=1):
    x = torch.randn(1, inputs, height, width).to(memory_format=torch.channels_last)
    w, b = torch.randn(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5, torch.randn(outputs)
    w_last = w.to(memory_format=torch.channels_last)
    a = x.permute(0, 2, 3, 1).contiguous()
    y = torch.empty(1, -(-height // stride), -(-width // stride), outputs)
    prepared = ctypes.c_void_p(
        lib.ms_conv_prepare(pointer(w), pointer(b), n(outputs), n(inputs), n(3), n(stride))
    )
    scratch = torch.empty(lib.ms_conv_scratch(pool, prepared, n(height), n(width)))

    def ours():
        lib.ms_conv2d(
            pool,
            prepared,
            pointer(a),
            n(inputs),
            None,
            n(height),
            n(width),
            None,
            RELU,
            pointer(y),
            pointer(scratch),
        )
        return y

    def theirs():
        return F.relu_(F.conv2d(x, w_last, b, stride, 1)).permute(0, 2, 3, 1)

    name = f"conv {inputs}->{outputs} {height}x{width}" + (f" /{stride}" if stride > 1 else "")
    return name, 2 * 9 * inputs * outputs * y.shape[1] * y.shape[2], ours, theirs


def cases(lib, pool):
    for dim in (192, 256, 384, 1536):
        yield linear_case(lib, pool, 180, dim, dim)
    yield linear_case(lib, pool, 180, 192, 768, GELU)
    yield linear_case(lib, pool, 180, 768, 192)
    yield linear_case(lib, pool, 60, 192, 576)
    yield linear_case(lib, pool, 768, 256, 1024)
    yield linear_case(lib, pool, 1560, 1536, 1536)
    yield linear_case(lib, pool, 1, 256, 1536)
    yield linear_case(lib, pool, 8, 1536, 1536)
    yield attention_case(lib, pool, 180, 540, 3, 64)
    yield attention_case(lib, pool, 192, 576, 4, 64)
    yield attention_case(lib, pool, 768, 2304, 4, 64)
    yield attention_case(lib, pool, 1170, 3510, 4, 128)
    yield conv_case(lib, pool, 64, 64, 96, 160)
    yield conv_case(lib, pool, 64, 64, 48, 80)
    yield conv_case(lib, pool, 32, 32, 96, 160)
    yield conv_case(lib, pool, 128, 128, 24, 40)
    yield conv_case(lib, pool, 64, 12, 96, 160)
    yield conv_case(lib, pool, 16, 64, 48, 80)
    yield conv_case(lib, pool, 64, 128, 48, 80, 2)


def seconds(call, repeats, clock):
    start = clock()
    for _ in range(repeats):
        call()
    return (clock() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--cpu", action="store_true", help="one thread, and count only the time it was running"
    )
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    options = parser.parse_args()
    if options.cpu:
        options.threads = 1
    clock = time.thread_time if options.cpu else time.perf_counter
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as directory:
        lib = build(directory)
    pool = ctypes.c_void_p(lib.ms_pool_create(options.threads))
    path = lib.ms_kernel_path().decode()
    print(f"path {path}, {options.threads} threads, torch {torch.__version__}; each median, best")
    print(f"{'case':34} {'ours ms':>16} {'torch ms':>16} {'torch / ours':>12} {'GFLOP/s':>13}")
    for name, flop, ours, theirs in cases(lib, pool):
        if options.only not in name:
            continue
        difference = (ours() - theirs()).abs().max().item()
        assert difference < 1e-3, f"{name}: results differ by {difference}"
        repeats = max(1, int(0.02 / seconds(theirs, 2, clock)))
        mine, other = [], []
        for _ in range(options.rounds):
            mine.append(1e3 * seconds(ours, repeats, clock))
            other.append(1e3 * seconds(theirs, repeats, clock))
        m, t = statistics.median(mine), statistics.median(other)
        print(
            f"{name:34} {m:8.3f} {min(mine):7.3f} {t:8.3f} {min(other):7.3f} "
            f"{t / m:6.2f} {min(other) / min(mine):5.2f} "
            f"{flop / m / 1e6:6.0f} {flop / min(mine) / 1e6:6.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
