#!/usr/bin/env python3
"""Makes the sample of MNIST that comes with the library: the first 10,000 training and 2,000 test digits, in the original order.

    python3 tools/make-mnist-sample.py FOLDER

FOLDER has the four original files (train-images-idx3-ubyte.gz and so on), which are checked against their known MD5 sums.
"""
import gzip
import hashlib
import pathlib
import struct
import sys

FILES = {  # name: (MD5 of the unpacked original, how many to keep)
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", 10_000),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", 10_000),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", 2_000),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", 2_000),
}


def main(source: pathlib.Path) -> None:
    target = pathlib.Path(__file__).resolve().parent.parent / "Lipschitz.Core/Data/Mnist10k"
    for name, (md5, keep) in FILES.items():
        original = gzip.decompress((source / f"{name}.gz").read_bytes())
        if hashlib.md5(original).hexdigest() != md5:
            sys.exit(f"{source / name}.gz is not the original: its MD5 differs")
        dimensions = original[3]
        header = 4 + 4 * dimensions
        (count,) = struct.unpack_from(">I", original, 4)
        size = (len(original) - header) // count
        part = original[:4] + struct.pack(">I", keep) + original[8:header] + original[header:header + keep * size]
        # No time stamp, so that a second run writes the same bytes.
        (target / f"{name}.gz").write_bytes(gzip.compress(part, compresslevel=9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
