/** The generators of PyTorch and NumPy, number for number. */

const BLOCK = 16
const { fround } = Math

/**
 * Standard normal numbers, as `sonoriff.diffusion.noise.normal_noise` and `torch.randn` draw them.
 *
 * Matsumoto & Nishimura, Mersenne Twister (1998); Box & Muller (1958) on blocks of sixteen.
 */
export function normalNoise(seed: number | bigint, n: number): Float32Array {
  const twister = new MersenneTwister(Number(BigInt.asUintN(32, BigInt(seed))))
  const noise = new Float32Array(n)
  const whole = n - (n % BLOCK)
  const uniform = Float32Array.from({ length: n }, () => twister.uniform())
  for (let at = 0; at < whole; at += BLOCK) boxMuller(uniform.subarray(at), noise.subarray(at))
  if (n % BLOCK) {
    // The last sixteen are drawn once more, over what stood there.
    const last = new Float32Array(BLOCK)
    boxMuller(
      Float32Array.from({ length: BLOCK }, () => twister.uniform()),
      last,
    )
    noise.set(last.subarray(Math.max(0, BLOCK - n)), Math.max(0, n - BLOCK))
  }
  return noise
}

function boxMuller(uniform: Float32Array, result: Float32Array): void {
  const half = BLOCK / 2
  for (let i = 0; i < half; i++) {
    const radius = fround(Math.sqrt(fround(-2 * fround(Math.log(fround(1 - uniform[i]!))))))
    const angle = fround(fround(2 * Math.PI) * uniform[half + i]!)
    result[i] = radius * fround(Math.cos(angle))
    result[half + i] = radius * fround(Math.sin(angle))
  }
}

class MersenneTwister {
  private readonly state = new Uint32Array(624)
  private at = 624

  constructor(seed: number) {
    this.state[0] = seed
    for (let i = 1; i < 624; i++) {
      const before = this.state[i - 1]!
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
    }
  }

  /** In [0, 1), of 24 bits. */
  uniform(): number {
    if (this.at === 624) this.twist()
    let y = this.state[this.at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    y ^= y >>> 18
    return (y & 0xffffff) * 2 ** -24
  }

  private twist(): void {
    const { state } = this
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff)
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.at = 0
  }
}

/** Words of 32 bits of `numpy.random.SeedSequence(entropy).generate_state(count)`. */
export function seedState(entropy: readonly number[], count: number): Uint32Array {
  const words = entropy.flatMap((value) =>
    value >= 2 ** 32 ? [value % 2 ** 32, Math.floor(value / 2 ** 32)] : [value],
  )
  let multiplier = 0x43b0d7e5
  const hashed = (value: number): number => {
    const mixed = value ^ multiplier
    multiplier = Math.imul(multiplier, 0x931e8875)
    const product = Math.imul(mixed, multiplier)
    return product ^ (product >>> 16)
  }
  const mixed = (x: number, y: number): number => {
    const sum = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0
    return sum ^ (sum >>> 16)
  }
  const pool = new Uint32Array(4)
  for (let i = 0; i < 4; i++) pool[i] = hashed(words[i] ?? 0)
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mixed(pool[to]!, hashed(pool[from]!))
  }
  for (const word of words.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mixed(pool[to]!, hashed(word))
  }
  let factor = 0x8b51f9dd
  return Uint32Array.from({ length: count }, (_, i) => {
    const value = pool[i % 4]! ^ factor
    factor = Math.imul(factor, 0x58f38ded)
    const product = Math.imul(value, factor)
    return product ^ (product >>> 16)
  })
}

/** State of `numpy.random.default_rng(seed)` for `uniform` of the native loops. */
export function pcgState(seed: number): BigUint64Array<ArrayBuffer> {
  const words = seedState([seed], 8)
  const wide = (i: number) => BigInt(words[2 * i]!) | (BigInt(words[2 * i + 1]!) << 32n)
  const whole = (i: number) => (wide(i) << 64n) | wide(i + 1)
  const factor = (2549297995355413924n << 64n) | 4865540595714422341n
  const cut = (value: bigint) => BigInt.asUintN(128, value)
  const increment = cut((whole(2) << 1n) | 1n)
  const state = cut((increment + whole(0)) * factor + increment)
  const parts = [state >> 64n, state, increment >> 64n, increment].map((x) => BigInt.asUintN(64, x))
  return BigUint64Array.of(...parts, 0n, 0n)
}

/** One seed of two numbers; the first unit has the seed itself. */
export function seedOfUnit(seed: number, unit: number): bigint {
  if (unit === 0) return BigInt(seed)
  const words = seedState([seed, unit], 2)
  return (BigInt(words[0]!) | (BigInt(words[1]!) << 32n)) >> 1n
}
