/* The codec's inner loops for a web page, and the numbers that its phases begin with.
 *
 * The page brings all buffers: `heap` is where free memory begins.
 */

#include "../../../src/sonoriff/sonogram/native/codec.c"

extern unsigned char __heap_base;

unsigned char *heap(void) { return &__heap_base; }

/* The upper half of a product. */
static uint64_t upper(uint64_t a, uint64_t b) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (uint32_t)middle;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* PCG64 (XSL-RR), as NumPy's generator has it: float32 in [0, 1) of 24 bits, two of each draw.
 *
 * `state` holds the upper and the lower half of the state and of the increment, the half of a draw
 * that is left, and whether there is one.
 *
 * O'Neill (2014), PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms.
 */
void uniform(uint64_t *state, float *result, int64_t n) {
    const uint64_t high_factor = 2549297995355413924ULL, low_factor = 4865540595714422341ULL;
    uint64_t high = state[0], low = state[1], left = state[4], has_left = state[5];
    for (int64_t i = 0; i < n; i++) {
        uint32_t drawn = (uint32_t)left;
        if (!has_left) {
            high = high * low_factor + low * high_factor + upper(low, low_factor);
            low = low * low_factor + state[3];
            high += state[2] + (low < state[3]);
            uint64_t mixed = high ^ low;
            unsigned turn = (unsigned)(high >> 58);
            uint64_t whole = (mixed >> turn) | (mixed << ((64 - turn) & 63));
            drawn = (uint32_t)whole;
            left = whole >> 32;
        }
        has_left = !has_left;
        result[i] = (float)(drawn >> 8) * (1.0f / 16777216.0f);
    }
    state[0] = high;
    state[1] = low;
    state[4] = left;
    state[5] = has_left;
}
