// NVIDIA's TF32: what tensor cores make of a factor unless a library is told to keep all of its bits.
#pragma once
#include <cstdint>
#include <cstring>

namespace doubles {

// Rounds to 10 bits of mantissa, ties to even.
inline float toTf32(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u) {
        bits += 0xfffu + ((bits >> 13) & 1u);
        bits &= ~0x1fffu;
    }

    std::memcpy(&x, &bits, sizeof x);
    return x;
}

}  // namespace doubles
