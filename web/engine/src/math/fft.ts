/** Discrete Fourier transforms of any length, in double precision. */

const RADICES = [4, 2, 3, 5]

/** Complex transform of `n` points; lengths with other factors than 2, 3 and 5 by Bluestein. */
class ComplexFft {
  private readonly factors: number[] = []
  private readonly cosines: Float64Array
  private readonly sines: Float64Array
  private readonly spareRe: Float64Array
  private readonly spareIm: Float64Array
  private readonly bluestein: Bluestein | null

  constructor(readonly n: number) {
    let left = n
    for (const radix of RADICES) {
      while (left % radix === 0) {
        this.factors.push(radix)
        left /= radix
      }
    }
    this.bluestein = left > 1 ? new Bluestein(n) : null
    const size = this.bluestein ? 0 : n
    this.cosines = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / n))
    this.sines = Float64Array.from({ length: size }, (_, k) => Math.sin((2 * Math.PI * k) / n))
    this.spareRe = new Float64Array(size)
    this.spareIm = new Float64Array(size)
  }

  /**
   * Forward transform, in place.
   *
   * Stockham (1966): each pass puts its results in order.
   */
  transform(re: Float64Array, im: Float64Array): void {
    if (this.bluestein) {
      this.bluestein.transform(re, im)
      return
    }
    let [fromRe, fromIm, toRe, toIm] = [re, im, this.spareRe, this.spareIm]
    let left = this.n
    let apart = 1
    for (const radix of this.factors) {
      const block = left / radix
      if (radix === 2) this.pass2(fromRe, fromIm, toRe, toIm, block, apart)
      else if (radix === 4) this.pass4(fromRe, fromIm, toRe, toIm, block, apart)
      else this.pass(radix, fromRe, fromIm, toRe, toIm, block, apart)
      ;[fromRe, fromIm, toRe, toIm] = [toRe, toIm, fromRe, fromIm]
      left = block
      apart *= radix
    }
    if (fromRe !== re) {
      re.set(fromRe)
      im.set(fromIm)
    }
  }

  private pass2(
    fromRe: Float64Array,
    fromIm: Float64Array,
    toRe: Float64Array,
    toIm: Float64Array,
    block: number,
    apart: number,
  ): void {
    const stride = block * apart
    for (let p = 0; p < block; p++) {
      const c = this.cosines[p * apart]!
      const s = this.sines[p * apart]!
      for (let q = 0; q < apart; q++) {
        const a = q + apart * p
        const b = a + stride
        const out = q + apart * 2 * p
        const re = fromRe[a]! - fromRe[b]!
        const im = fromIm[a]! - fromIm[b]!
        toRe[out] = fromRe[a]! + fromRe[b]!
        toIm[out] = fromIm[a]! + fromIm[b]!
        toRe[out + apart] = re * c + im * s
        toIm[out + apart] = im * c - re * s
      }
    }
  }

  private pass4(
    fromRe: Float64Array,
    fromIm: Float64Array,
    toRe: Float64Array,
    toIm: Float64Array,
    block: number,
    apart: number,
  ): void {
    const stride = block * apart
    for (let p = 0; p < block; p++) {
      const [c1, s1] = [this.cosines[p * apart]!, this.sines[p * apart]!]
      const [c2, s2] = [this.cosines[2 * p * apart]!, this.sines[2 * p * apart]!]
      const [c3, s3] = [this.cosines[3 * p * apart]!, this.sines[3 * p * apart]!]
      for (let q = 0; q < apart; q++) {
        const a = q + apart * p
        const [b, c, d] = [a + stride, a + 2 * stride, a + 3 * stride]
        const out = q + apart * 4 * p
        const evenRe = fromRe[a]! + fromRe[c]!
        const evenIm = fromIm[a]! + fromIm[c]!
        const evenRe2 = fromRe[a]! - fromRe[c]!
        const evenIm2 = fromIm[a]! - fromIm[c]!
        const oddRe = fromRe[b]! + fromRe[d]!
        const oddIm = fromIm[b]! + fromIm[d]!
        const oddRe2 = fromRe[b]! - fromRe[d]!
        const oddIm2 = fromIm[b]! - fromIm[d]!
        toRe[out] = evenRe + oddRe
        toIm[out] = evenIm + oddIm
        const [re1, im1] = [evenRe2 + oddIm2, evenIm2 - oddRe2]
        const [re2, im2] = [evenRe - oddRe, evenIm - oddIm]
        const [re3, im3] = [evenRe2 - oddIm2, evenIm2 + oddRe2]
        toRe[out + apart] = re1 * c1 + im1 * s1
        toIm[out + apart] = im1 * c1 - re1 * s1
        toRe[out + 2 * apart] = re2 * c2 + im2 * s2
        toIm[out + 2 * apart] = im2 * c2 - re2 * s2
        toRe[out + 3 * apart] = re3 * c3 + im3 * s3
        toIm[out + 3 * apart] = im3 * c3 - re3 * s3
      }
    }
  }

  private pass(
    radix: number,
    fromRe: Float64Array,
    fromIm: Float64Array,
    toRe: Float64Array,
    toIm: Float64Array,
    block: number,
    apart: number,
  ): void {
    const stride = block * apart
    const turn = this.n / radix
    for (let p = 0; p < block; p++) {
      for (let q = 0; q < apart; q++) {
        const here = q + apart * p
        const out = q + apart * radix * p
        for (let k = 0; k < radix; k++) {
          let re = 0
          let im = 0
          for (let j = 0; j < radix; j++) {
            const angle = (j * k * turn + p * k * apart) % this.n
            const [c, s] = [this.cosines[angle]!, this.sines[angle]!]
            const [x, y] = [fromRe[here + j * stride]!, fromIm[here + j * stride]!]
            re += x * c + y * s
            im += y * c - x * s
          }
          toRe[out + k * apart] = re
          toIm[out + k * apart] = im
        }
      }
    }
  }
}

/** A transform of any length as a circular convolution of a power of two. */
class Bluestein {
  private readonly size: number
  private readonly inner: ComplexFft
  private readonly chirpRe: Float64Array
  private readonly chirpIm: Float64Array
  private readonly kernelRe: Float64Array
  private readonly kernelIm: Float64Array

  constructor(private readonly n: number) {
    this.size = 2 ** Math.ceil(Math.log2(2 * n - 1))
    this.inner = new ComplexFft(this.size)
    this.chirpRe = new Float64Array(n)
    this.chirpIm = new Float64Array(n)
    this.kernelRe = new Float64Array(this.size)
    this.kernelIm = new Float64Array(this.size)
    for (let k = 0; k < n; k++) {
      // k^2 modulo 2 n, exactly: k may be above 2^26.
      const angle = (Math.PI * Number((BigInt(k) * BigInt(k)) % BigInt(2 * n))) / n
      this.chirpRe[k] = Math.cos(angle)
      this.chirpIm[k] = -Math.sin(angle)
      for (const place of [k, (this.size - k) % this.size]) {
        this.kernelRe[place] = Math.cos(angle)
        this.kernelIm[place] = Math.sin(angle)
      }
    }
    this.inner.transform(this.kernelRe, this.kernelIm)
  }

  transform(re: Float64Array, im: Float64Array): void {
    const a = new Float64Array(this.size)
    const b = new Float64Array(this.size)
    for (let k = 0; k < this.n; k++) {
      const [c, s] = [this.chirpRe[k]!, this.chirpIm[k]!]
      a[k] = re[k]! * c - im[k]! * s
      b[k] = re[k]! * s + im[k]! * c
    }
    this.inner.transform(a, b)
    for (let k = 0; k < this.size; k++) {
      const [c, s] = [this.kernelRe[k]!, this.kernelIm[k]!]
      const [x, y] = [a[k]!, b[k]!]
      // Swapped parts: the transform that follows is then the inverse one.
      b[k] = x * c - y * s
      a[k] = x * s + y * c
    }
    this.inner.transform(a, b)
    for (let k = 0; k < this.n; k++) {
      const [c, s] = [this.chirpRe[k]!, this.chirpIm[k]!]
      const [x, y] = [b[k]! / this.size, a[k]! / this.size]
      re[k] = x * c - y * s
      im[k] = x * s + y * c
    }
  }
}

/**
 * Real transforms of one length, and their inverse.
 *
 * An even length is done as a complex transform of half of it, whose points are pairs of samples.
 */
export class RealFft {
  /** Bins, 1 + n / 2. */
  readonly bins: number
  /** The spectrum, `bins` numbers of each part. */
  readonly re: Float64Array
  readonly im: Float64Array
  private readonly pairs: boolean
  private readonly fft: ComplexFft
  private readonly a: Float64Array
  private readonly b: Float64Array
  private readonly cosines: Float64Array
  private readonly sines: Float64Array
  private readonly samples: Float64Array

  constructor(readonly n: number) {
    this.pairs = n % 2 === 0
    this.bins = 1 + Math.floor(n / 2)
    const size = this.pairs ? n / 2 : n
    this.fft = new ComplexFft(size)
    this.a = new Float64Array(size)
    this.b = new Float64Array(size)
    this.samples = new Float64Array(n)
    this.re = new Float64Array(this.bins)
    this.im = new Float64Array(this.bins)
    const angle = (k: number) => (2 * Math.PI * k) / n
    this.cosines = Float64Array.from({ length: this.bins }, (_, k) => Math.cos(angle(k)))
    this.sines = Float64Array.from({ length: this.bins }, (_, k) => Math.sin(angle(k)))
  }

  /** Samples, filled up with zeros, to their spectrum in `re` and `im`. */
  forward(samples: ArrayLike<number>): void {
    const { a, b, re, im, bins } = this
    const size = a.length
    const step = this.pairs ? 2 : 1
    for (let i = 0; i < size; i++) {
      a[i] = samples[step * i] ?? 0
      b[i] = this.pairs ? (samples[2 * i + 1] ?? 0) : 0
    }
    this.fft.transform(a, b)
    for (let k = 0; k < bins; k++) {
      const here = k % size
      if (!this.pairs) {
        re[k] = a[here]!
        im[k] = b[here]!
        continue
      }
      const there = (size - k) % size
      const [c, s] = [this.cosines[k]!, this.sines[k]!]
      const oddRe = 0.5 * (b[here]! + b[there]!)
      const oddIm = 0.5 * (a[there]! - a[here]!)
      re[k] = 0.5 * (a[here]! + a[there]!) + oddRe * c + oddIm * s
      im[k] = 0.5 * (b[here]! - b[there]!) + oddIm * c - oddRe * s
    }
  }

  /** The samples of the spectrum in `re` and `im`; the array is used again. */
  inverse(): Float64Array {
    const { n, a, b, re, im, samples } = this
    const size = a.length
    const last = this.bins - 1
    // The imaginary parts of the first bin, and of the last one of an even length, mean nothing.
    const imaginary = (k: number) => (k === 0 || (this.pairs && k === last) ? 0 : im[k]!)
    for (let k = 0; k < size; k++) {
      if (!this.pairs) {
        const mirrored = k > last
        a[k] = re[mirrored ? n - k : k]!
        b[k] = mirrored ? -im[n - k]! : imaginary(k)
        continue
      }
      const there = size - k
      const [hereIm, thereIm] = [imaginary(k), imaginary(there)]
      const [c, s] = [this.cosines[k]!, this.sines[k]!]
      const diffRe = re[k]! - re[there]!
      const diffIm = hereIm + thereIm
      const oddRe = diffRe * c - diffIm * s
      const oddIm = diffRe * s + diffIm * c
      a[k] = re[k]! + re[there]! - oddIm
      b[k] = hereIm - thereIm + oddRe
    }
    // Swapped parts make the transform the inverse one.
    this.fft.transform(b, a)
    for (let i = 0; i < size; i++) {
      if (this.pairs) {
        samples[2 * i] = a[i]! / n
        samples[2 * i + 1] = b[i]! / n
      } else samples[i] = a[i]! / n
    }
    return samples
  }
}

const made = new Map<number, RealFft>()
const KEPT = 12

/** The transform of a length, remembered. */
export function realFft(n: number): RealFft {
  let fft = made.get(n)
  if (!fft) {
    if (made.size >= KEPT) made.delete(made.keys().next().value!)
    fft = new RealFft(n)
    made.set(n, fft)
  }
  return fft
}
