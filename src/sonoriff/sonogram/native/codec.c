/* Inner loops of the codec, eight columns side by side.
 *
 * One source for every place in which the codec runs: a shared library beside the Python package,
 * and WebAssembly. Nothing here allocates; the caller brings all buffers.
 *
 * A buffer holds rows of eight float32, one for each of eight columns; a row of complex numbers is
 * a row of real parts and one of imaginary parts.
 */

#include <stdint.h>

#define LANES 8

/* Compiled for several processors, and the best that is there taken when the library is loaded. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(NO_CLONES)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERNEL
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float row __attribute__((vector_size(4 * LANES)));
typedef float row_in_memory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef struct {
    row re, im;
} complex_row;

INLINE row load(const float *at) { return *(const row_in_memory *)at; }
INLINE void store(float *at, row value) { *(row_in_memory *)at = value; }
INLINE row splat(float x) { return (row){x, x, x, x, x, x, x, x}; }
INLINE row larger(row a, row b) {
    mask above = a > b;
    return (row)((above & (mask)a) | (~above & (mask)b));
}
INLINE row root(row x) {
    row result;
    for (int i = 0; i < LANES; i++) result[i] = __builtin_sqrtf(x[i]);
    return result;
}

INLINE complex_row load_complex(const float *rows, int64_t index) {
    const float *at = rows + 2 * LANES * index;
    return (complex_row){load(at), load(at + LANES)};
}
INLINE void store_complex(float *rows, int64_t index, complex_row value) {
    float *at = rows + 2 * LANES * index;
    store(at, value.re);
    store(at + LANES, value.im);
}
INLINE complex_row plus(complex_row a, complex_row b) {
    return (complex_row){a.re + b.re, a.im + b.im};
}
INLINE complex_row minus(complex_row a, complex_row b) {
    return (complex_row){a.re - b.re, a.im - b.im};
}
INLINE complex_row scaled(complex_row a, float by) { return (complex_row){a.re * by, a.im * by}; }
INLINE complex_row times_i(complex_row a) { return (complex_row){-a.im, a.re}; }
INLINE complex_row conjugate(complex_row a) { return (complex_row){a.re, -a.im}; }
INLINE complex_row turned(complex_row a, float re, float im) {
    return (complex_row){a.re * re - a.im * im, a.re * im + a.im * re};
}

/* Fourier transforms of 2 to 6 points. */
INLINE void dft2(const complex_row *x, int step, complex_row *y) {
    y[0] = plus(x[0], x[step]);
    y[1] = minus(x[0], x[step]);
}
INLINE void dft3(complex_row a, complex_row b, complex_row c, complex_row *y) {
    complex_row both = plus(b, c), middle = minus(a, scaled(both, 0.5f));
    complex_row apart = scaled(times_i(minus(c, b)), 0.8660254037844386f);
    y[0] = plus(a, both);
    y[1] = plus(middle, apart);
    y[2] = minus(middle, apart);
}
INLINE void dft4(const complex_row *x, complex_row *y) {
    complex_row even[2], odd[2];
    dft2(x, 2, even);
    dft2(x + 1, 2, odd);
    complex_row quarter = times_i(odd[1]);
    y[0] = plus(even[0], odd[0]);
    y[1] = minus(even[1], quarter);
    y[2] = minus(even[0], odd[0]);
    y[3] = plus(even[1], quarter);
}
INLINE void dft5(const complex_row *x, complex_row *y) {
    const float cos1 = 0.30901699437494745f, cos2 = -0.8090169943749473f;
    const float sin1 = 0.9510565162951535f, sin2 = 0.5877852522924732f;
    complex_row outer = plus(x[1], x[4]), inner = plus(x[2], x[3]);
    complex_row outer_turned = times_i(minus(x[4], x[1]));
    complex_row inner_turned = times_i(minus(x[3], x[2]));
    complex_row near = plus(x[0], plus(scaled(outer, cos1), scaled(inner, cos2)));
    complex_row far = plus(x[0], plus(scaled(outer, cos2), scaled(inner, cos1)));
    complex_row near_turned = plus(scaled(outer_turned, sin1), scaled(inner_turned, sin2));
    complex_row far_turned = minus(scaled(outer_turned, sin2), scaled(inner_turned, sin1));
    y[0] = plus(x[0], plus(outer, inner));
    y[1] = plus(near, near_turned);
    y[2] = plus(far, far_turned);
    y[3] = minus(far, far_turned);
    y[4] = minus(near, near_turned);
}
/* 6 = 2 x 3, whose parts have no common factor: no turning in between. */
INLINE void dft6(const complex_row *x, complex_row *y) {
    complex_row even[3], odd[3];
    dft3(x[0], x[2], x[4], even);
    dft3(x[3], x[5], x[1], odd);
    for (int k = 0; k < 6; k++)
        y[k] = k % 2 == 0 ? plus(even[k % 3], odd[k % 3]) : minus(even[k % 3], odd[k % 3]);
}

INLINE void butterfly(int radix, const float *source, float *target, const float *turns,
                      int64_t place, int64_t stride, int64_t out, int64_t apart) {
    complex_row x[6], y[6];
    for (int j = 0; j < radix; j++) x[j] = load_complex(source, place + j * stride);
    switch (radix) {
        case 2: dft2(x, 1, y); break;
        case 3: dft3(x[0], x[1], x[2], y); break;
        case 4: dft4(x, y); break;
        case 5: dft5(x, y); break;
        default: dft6(x, y);
    }
    store_complex(target, out, y[0]);
    for (int k = 1; k < radix; k++)
        store_complex(target, out + k * apart, turned(y[k], turns[2 * k - 2], turns[2 * k - 1]));
}

INLINE void transform_pass(int radix, const float *source, float *target, const float *turns,
                           int64_t block, int64_t apart) {
    for (int64_t p = 0; p < block; p++)
        for (int64_t q = 0; q < apart; q++)
            butterfly(radix, source, target, turns + 2 * p * (radix - 1), q + apart * p,
                      apart * block, q + apart * radix * p, apart);
}

/* Complex transform over the rows of eight columns; 1 where the result is in `spare`.
 *
 * Stockham (1966): each pass puts its results in order, so that none has to be sorted.
 */
INLINE int transformed(float *rows, float *spare, const int64_t *radices, int64_t n_radices,
                       const float *turns) {
    int64_t left = 1, apart = 1;
    int in_spare = 0;
    for (int64_t i = 0; i < n_radices; i++) left *= radices[i];
    for (int64_t i = 0; i < n_radices; i++) {
        int64_t radix = radices[i], block = left / radix;
        const float *source = in_spare ? spare : rows;
        float *target = in_spare ? rows : spare;
        switch (radix) { /* a constant for each, so that all becomes straight code */
            case 2: transform_pass(2, source, target, turns, block, apart); break;
            case 3: transform_pass(3, source, target, turns, block, apart); break;
            case 4: transform_pass(4, source, target, turns, block, apart); break;
            case 5: transform_pass(5, source, target, turns, block, apart); break;
            default: transform_pass(6, source, target, turns, block, apart);
        }
        turns += 2 * block * (radix - 1);
        left = block;
        apart *= radix;
        in_spare = !in_spare;
    }
    return in_spare;
}

KERNEL int64_t transform_rows(float *rows, float *spare, const int64_t *radices, int64_t n_radices,
                              const float *turns) {
    return transformed(rows, spare, radices, n_radices, turns);
}

/* Bins `here` and `mirror` of a real transform from the half-length complex one, in place.
 *
 * Reads rows `here` and `twin`, writes rows `here` and `mirror`, and their absolute values.
 */
INLINE void split_pair(float *rows, float *magnitude, const float *turns, int64_t here,
                       int64_t twin, int64_t mirror) {
    complex_row first = load_complex(rows, here), second = conjugate(load_complex(rows, twin));
    complex_row even = scaled(plus(first, second), 0.5f);
    /* The turn also holds the -i / 2 of the odd part. */
    complex_row odd = turned(minus(first, second), turns[2 * here], turns[2 * here + 1]);
    complex_row low = plus(even, odd), high = conjugate(minus(even, odd));
    store_complex(rows, here, low);
    store(magnitude + LANES * here, root(low.re * low.re + low.im * low.im));
    store_complex(rows, mirror, high);
    store(magnitude + LANES * mirror, root(high.re * high.re + high.im * high.im));
}

/* The inverse of `split_pair`, each bin times its gain; real and imaginary parts swapped. */
INLINE void join_pair(float *rows, const float *gain, const float *turns, int64_t here,
                      int64_t mirror) {
    complex_row first = load_complex(rows, here), second = conjugate(load_complex(rows, mirror));
    row low = load(gain + LANES * here), high = load(gain + LANES * mirror);
    first = (complex_row){first.re * low, first.im * low};
    second = (complex_row){second.re * high, second.im * high};
    complex_row even = plus(first, second);
    complex_row odd = turned(minus(first, second), turns[2 * here], -turns[2 * here + 1]);
    odd = scaled(odd, 2.0f);
    complex_row a = plus(even, odd), b = conjugate(minus(even, odd));
    store_complex(rows, here, (complex_row){a.im, a.re});
    store_complex(rows, mirror, (complex_row){b.im, b.re});
}

/* A filter bank: band m covers the bins [start[m], stop[m]) with weights (M, width). */
typedef struct {
    const int32_t *start, *stop;
    const float *weights, *spread;
    int64_t n_bands, width;
} bank;

INLINE row band_sum(const bank *b, int64_t band, const float *magnitude) {
    row have = splat(0.0f);
    const float *weights = b->weights + band * b->width;
    for (int32_t f = b->start[band]; f < b->stop[band]; f++)
        have += load(magnitude + LANES * f) * weights[f - b->start[band]];
    return have;
}

/* Gain for each bin that brings the mel value of each band to `mel`, for eight frames; one step may
 * raise a band by at most `most`: an empty band must not explode. */
INLINE void mel_gain(const float *magnitude, const float *mel, const bank *b, int64_t n_bins,
                     float most, float *gain) {
    for (int64_t f = 0; f < n_bins; f++) store(gain + LANES * f, splat(0.0f));
    for (int64_t band = 0; band < b->n_bands; band++) {
        row target = load(mel + LANES * band);
        row least = larger(target / splat(most), splat(1e-30f));
        row ratio = target / larger(band_sum(b, band, magnitude), least);
        const float *spread = b->spread + band * b->width;
        for (int32_t f = b->start[band]; f < b->stop[band]; f++) {
            float *at = gain + LANES * f;
            store(at, load(at) + ratio * spread[f - b->start[band]]);
        }
    }
}

/* Mel values (N, M) of eight frames side by side; 0 for frames that are not there. */
INLINE void targets(const float *mel, int64_t n_frames, int64_t n_bands, int64_t first,
                    float *wanted) {
    for (int64_t lane = 0; lane < LANES; lane++)
        for (int64_t band = 0; band < n_bands; band++)
            wanted[LANES * band + lane] =
                first + lane < n_frames ? mel[(first + lane) * n_bands + band] : 0.0f;
}

/* A non-negative magnitude whose mel values are near `mel`: (N, M) -> (N, F).
 *
 * Multiplicative updates from an evenly spread start; each is the exact answer for the bins that a
 * single band covers. `work` holds LANES (2 F + M).
 */
KERNEL void magnitude_from_mel(const float *mel, int64_t n_frames, int64_t n_bands,
                               const int32_t *start, const int32_t *stop, const float *weights,
                               const float *spread, int64_t width, int64_t n_bins,
                               int64_t n_updates, float most, float *work, float *result) {
    bank b = {start, stop, weights, spread, n_bands, width};
    float *magnitude = work, *gain = work + LANES * n_bins, *wanted = gain + LANES * n_bins;
    for (int64_t first = 0; first < n_frames; first += LANES) {
        targets(mel, n_frames, n_bands, first, wanted);
        for (int64_t f = 0; f < n_bins; f++) store(magnitude + LANES * f, splat(0.0f));
        for (int64_t band = 0; band < n_bands; band++) {
            float total = 1e-12f;
            for (int32_t f = 0; f < stop[band] - start[band]; f++)
                total += weights[band * width + f];
            row level = load(wanted + LANES * band) * (1.0f / total);
            for (int32_t f = start[band]; f < stop[band]; f++) {
                float *at = magnitude + LANES * f;
                store(at, load(at) + level * spread[band * width + f - start[band]]);
            }
        }
        for (int64_t update = 0; update < n_updates; update++) {
            mel_gain(magnitude, wanted, &b, n_bins, most, gain);
            for (int64_t f = 0; f < n_bins; f++) {
                float *at = magnitude + LANES * f;
                store(at, load(at) * load(gain + LANES * f));
            }
        }
        int64_t there = n_frames - first < LANES ? n_frames - first : LANES;
        for (int64_t lane = 0; lane < there; lane++)
            for (int64_t f = 0; f < n_bins; f++)
                result[(first + lane) * n_bins + f] = magnitude[LANES * f + lane];
    }
}

/* A waveform by place in the hop and by hop, so that neighbours are a hop apart; the buffer holds
 * hop (n_hops + LANES). */
INLINE void lay_out(const float *samples, int64_t n_samples, int64_t n_hops, int64_t hop,
                    float *laid) {
    int64_t width = n_hops + LANES;
    for (int64_t r = 0; r < hop; r++)
        for (int64_t h = 0; h < width; h++) {
            int64_t place = h * hop + r;
            laid[r * width + h] = h < n_hops && place < n_samples ? samples[place] : 0.0f;
        }
}

/* Eight windowed frames from `first` on: even samples as real parts, odd as imaginary. */
INLINE void windowed(const float *laid, int64_t first, const float *window, int64_t win,
                     int64_t hop, int64_t width, int64_t n_half, float *rows) {
    for (int64_t t = 0, block = 0, r = 0; t < win; t++) {
        store(rows + LANES * t, load(laid + r * width + first + block) * window[t]);
        if (++r == hop) r = 0, block++;
    }
    for (int64_t t = win; t < 2 * (n_half + 1); t++) store(rows + LANES * t, splat(0.0f));
}

INLINE void all_pairs(float *rows, float *magnitude, const float *turns, int64_t n_half) {
    for (int64_t k = 0; k <= n_half / 2; k++)
        split_pair(rows, magnitude, turns, k, k ? n_half - k : 0, n_half - k);
}

/* Mel amplitude (M, stride) of the windowed frames of a waveform, `hop` apart from sample 0 on.
 *
 * `stride` is the number of frames, filled up to a multiple of LANES. `work` holds
 * hop (N + ceil(win / hop) - 1 + LANES) + LANES (5 n_half + 5).
 */
KERNEL void mel_columns(const float *samples, int64_t n_samples, int64_t n_frames, int64_t hop,
                        const float *window, int64_t win, const int32_t *start,
                        const int32_t *stop, const float *weights, int64_t n_bands,
                        int64_t bank_width, int64_t n_fft, const int64_t *radices,
                        int64_t n_radices, const float *pass_turns, const float *real_turns,
                        int64_t stride, float *work, float *mel) {
    bank b = {start, stop, weights, weights, n_bands, bank_width};
    int64_t n_half = n_fft / 2, n_hops = n_frames + (win + hop - 1) / hop - 1;
    int64_t width = n_hops + LANES, rows_size = 2 * LANES * (n_half + 1);
    float *laid = work, *rows = laid + hop * width, *spare = rows + rows_size;
    float *magnitude = spare + rows_size;
    lay_out(samples, n_samples, n_hops, hop, laid);
    for (int64_t first = 0; first < n_frames; first += LANES) {
        windowed(laid, first, window, win, hop, width, n_half, rows);
        float *here = transformed(rows, spare, radices, n_radices, pass_turns) ? spare : rows;
        all_pairs(here, magnitude, real_turns, n_half);
        for (int64_t band = 0; band < n_bands; band++)
            store(mel + band * stride + first, band_sum(&b, band, magnitude));
    }
}

/* One step of Griffin-Lim: frames of a waveform, set to their mel values, added up again.
 *
 * Works on eight frames side by side, with the waveform laid out by place in the hop and by hop:
 * one sample of the eight frames is then eight neighbours. `total` gets (N - 1) hop + R hop samples
 * added. `work` holds 2 hop (N + R - 1 + LANES) + LANES (6 n_half + 6 + M), R = ceil(win / hop).
 */
KERNEL void consistency_step(const float *samples, int64_t n_samples, int64_t n_frames,
                             int64_t hop, const float *window, const float *synthesis_window,
                             int64_t win, const float *mel, const int32_t *start,
                             const int32_t *stop, const float *weights, const float *spread,
                             int64_t n_bands, int64_t bank_width, int64_t n_fft,
                             const int64_t *radices, int64_t n_radices, const float *pass_turns,
                             const float *real_turns, float most, float *work, float *total) {
    bank b = {start, stop, weights, spread, n_bands, bank_width};
    int64_t overlap = (win + hop - 1) / hop, n_half = n_fft / 2, n_hops = n_frames + overlap - 1;
    int64_t width = n_hops + LANES, rows_size = 2 * LANES * (n_half + 1);
    float *laid = work, *summed = laid + hop * width, *rows = summed + hop * width;
    float *spare = rows + rows_size, *magnitude = spare + rows_size;
    float *gain = magnitude + LANES * (n_half + 1), *wanted = gain + LANES * (n_half + 1);
    lay_out(samples, n_samples, n_hops, hop, laid);
    for (int64_t i = 0; i < hop * width; i++) summed[i] = 0.0f;
    for (int64_t first = 0; first < n_frames; first += LANES) {
        targets(mel, n_frames, n_bands, first, wanted);
        windowed(laid, first, window, win, hop, width, n_half, rows);
        int in_spare = transformed(rows, spare, radices, n_radices, pass_turns);
        float *here = in_spare ? spare : rows, *there = in_spare ? rows : spare;
        all_pairs(here, magnitude, real_turns, n_half);
        mel_gain(magnitude, wanted, &b, n_half + 1, most, gain);
        for (int64_t k = 0; k <= n_half / 2; k++) join_pair(here, gain, real_turns, k, n_half - k);
        float *back = transformed(here, there, radices, n_radices, pass_turns) ? there : here;
        for (int64_t t = 0, block = 0, r = 0; t < win; t++) {
            float *at = summed + r * width + first + block;
            /* Real and imaginary parts are swapped: of a pair, the even sample comes second. */
            store(at, load(at) + load(back + LANES * (t ^ 1)) * synthesis_window[t]);
            if (++r == hop) r = 0, block++;
        }
    }
    for (int64_t h = 0; h < n_hops; h++)
        for (int64_t r = 0; r < hop; r++) total[h * hop + r] += summed[r * width + h];
}

/* Add windowed frames (N, stride), `hop` apart, onto `total`. */
KERNEL void overlap_add(const float *frames, int64_t n_frames, int64_t stride, const float *window,
                        int64_t win, int64_t hop, float *total) {
    for (int64_t n = 0; n < n_frames; n++)
        for (int64_t t = 0; t < win; t++) total[n * hop + t] += window[t] * frames[n * stride + t];
}

/* Take the loudest bin that is known and give its neighbours their phase, until none is left.
 *
 * `classes` is the loudness class of each bin, -1 where it is too faint; `newest` holds the last bin
 * that came into each class, `below` the one before it; `order` the bins, loudest first.
 *
 * Prusa, Balazs & Sondergaard (2017), IEEE/ACM TASLP 25(5), with classes for a heap.
 */
void spread_phase(float *phase, const float *column_step, const float *bin_step,
                  const int16_t *classes, const int32_t *order, int64_t n_order, uint8_t *done,
                  int32_t *newest, int32_t *below, int64_t n_bins, int64_t size,
                  int64_t has_earlier) {
    int64_t loudest = -1, turn = 0;
    if (has_earlier)
        for (int64_t f = 0; f < n_bins; f++)
            if (classes[f] >= 0) {
                below[f] = newest[classes[f]];
                newest[classes[f]] = (int32_t)f;
                if (classes[f] > loudest) loudest = classes[f];
            }
    for (;;) {
        int64_t here;
        while (loudest >= 0 && newest[loudest] < 0) loudest--;
        if (loudest < 0) {
            while (turn < n_order && done[order[turn]]) turn++;
            if (turn == n_order) return;
            here = order[turn];
            done[here] = 1;
        } else {
            here = newest[loudest];
            newest[loudest] = below[here];
        }
        int64_t f = here % n_bins;
        int64_t neighbours[4] = {
            here + n_bins < size ? here + n_bins : -1,
            here - n_bins,
            f + 1 < n_bins ? here + 1 : -1,
            f > 0 ? here - 1 : -1,
        };
        for (int side = 0; side < 4; side++) {
            int64_t there = neighbours[side];
            if (there < n_bins || done[there]) continue;
            const float *steps = side < 2 ? column_step : bin_step;
            float step = 0.5f * (steps[here] + steps[there]);
            phase[there] = phase[here] + (side % 2 == 0 ? step : -step);
            done[there] = 1;
            below[there] = newest[classes[there]];
            newest[classes[there]] = (int32_t)there;
            if (classes[there] > loudest) loudest = classes[there];
        }
    }
}
