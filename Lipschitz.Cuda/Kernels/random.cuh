// Random numbers by address, the words of Lipschitz.Core/Randomness/Philox.cs bit by bit: element (i, j) is a function of the key, the row
// and the column alone. A thread makes the four numbers of a draw.
#pragma once

struct Words {
    unsigned at[4];
};

// Ten rounds of Philox4x32 on the counter under the key (Salmon, Moraes, Dror and Shaw 2011).
DEVICE Words philox(Words counter, unsigned key0, unsigned key1) {
    unsigned(&c)[4] = counter.at;
    UNROLL
    for (int round = 0; round < 10; round++) {
        unsigned long long p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
        unsigned c1 = c[1], c3 = c[3];
        c[0] = (unsigned)(p1 >> 32) ^ c1 ^ key0;
        c[1] = (unsigned)p1;
        c[2] = (unsigned)(p0 >> 32) ^ c3 ^ key1;
        c[3] = (unsigned)p0;
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }

    return counter;
}

// The number of (0, 1) that a word stands for.
DEVICE double uniform(unsigned word) { return (word + 0.5) * 0x1p-32; }

// A pair of standard normal numbers (Box and Muller 1958), in double as on every backend.
DEVICE void normal_pair(unsigned radiusWord, unsigned angleWord, float& first, float& second) {
    double sin, cos = cos_of_turns(uniform(angleWord), sin), radius = __builtin_sqrt(-2 * log_(uniform(radiusWord)));
    first = (float)(radius * cos);
    second = (float)(radius * sin);
}

// x_ij <- number j of row firstRow + i, made of the words of each draw by numbers(words).
template <class Make>
DEVICE void fill_draws(
    int laneBits, unsigned firstRow, unsigned step, unsigned address, unsigned key0, unsigned key1, const View& x, const Make& make) {
    for_elements(laneBits, 1, x.rows, (x.columns + 3) / 4, [&](auto, unsigned i, unsigned draw) {
        Numbers<4> numbers = make(philox(Words{{draw, firstRow + i, step, address}}, key0, key1));
        UNROLL
        for (int k = 0; k < 4; k++) {
            if (4 * draw + k < (unsigned)x.columns) {
                x.at(i, 4ll * draw + k) = numbers[k];
            }
        }
    });
}

// x_ij <- standard normal numbers (IBackend.FillNormal).
KERNEL(fill_normal)(int laneBits, unsigned firstRow, unsigned step, unsigned address, unsigned key0, unsigned key1, View x) {
    fill_draws(laneBits, firstRow, step, address, key0, key1, x, [](Words words) {
        Numbers<4> numbers;
        normal_pair(words.at[0], words.at[1], numbers[0], numbers[1]);
        normal_pair(words.at[2], words.at[3], numbers[2], numbers[3]);
        return numbers;
    });
}

// x_ij <- +1 where the word's top bit is 0, else -1 (IBackend.FillSigns).
KERNEL(fill_signs)(int laneBits, unsigned firstRow, unsigned step, unsigned address, unsigned key0, unsigned key1, View x) {
    fill_draws(laneBits, firstRow, step, address, key0, key1, x, [](Words words) {
        Numbers<4> numbers;
        UNROLL
        for (int k = 0; k < 4; k++) {
            numbers[k] = words.at[k] >> 31 ? -1 : 1;
        }

        return numbers;
    });
}
