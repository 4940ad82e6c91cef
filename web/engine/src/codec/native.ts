/** The codec's loops in WebAssembly, and the tables that they look up. */
import type { Tensor, Values } from '../files/safetensors'
import type { CodecNumbers } from '../model/about'

const LANES = 8
const ALIGNMENT = 64
const PAGE = 65536

type Argument = Values | BigUint64Array | BigInt64Array | Int16Array | Uint8Array | number | bigint

/** Tables of one transform with its bank; see `sonoriff.sonogram.decode_grid`. */
export interface Tables {
  window: Float32Array
  start: Int32Array
  stop: Int32Array
  bank: Float32Array
  spread: Float32Array
  radices: BigInt64Array
  passTurns: Float32Array
  realTurns: Float32Array
  /** Columns of `bank`. */
  width: number
}

/** Of what is looked up and never changes, one is enough for all decoders. */
export class Shared {}

/** Calls into the compiled loops: arrays are copied in, and back where they are results. */
export class Native extends Shared {
  private readonly memory: WebAssembly.Memory
  private readonly functions: Record<string, CallableFunction>
  private readonly base: number

  private constructor(
    exports: WebAssembly.Exports,
    readonly numbers: CodecNumbers,
    private readonly tensors: Map<string, Tensor>,
  ) {
    super()
    this.memory = exports.memory as WebAssembly.Memory
    this.functions = exports as Record<string, CallableFunction>
    this.base = aligned((exports.heap as () => number)())
  }

  static async load(
    wasm: BufferSource,
    numbers: CodecNumbers,
    tensors: Map<string, Tensor>,
  ): Promise<Native> {
    const { instance } = await WebAssembly.instantiate(wasm)
    return new Native(instance.exports, numbers, tensors)
  }

  tables(name: 'decode' | 'encode'): Tables {
    const of = <T extends Values>(part: string) => this.tensors.get(`${name}.${part}`)!.values as T
    return {
      window: of('window'),
      start: of('start'),
      stop: of('stop'),
      bank: of('bank'),
      spread: of('spread'),
      radices: BigInt64Array.from(of<Int32Array>('radices'), BigInt),
      passTurns: of('pass_turns'),
      realTurns: of('real_turns'),
      width: this.tensors.get(`${name}.bank`)!.shape[1]!,
    }
  }

  /** A non-negative magnitude (N, F) whose mel values are near `mel` (N, M). */
  magnitudeFromMel(mel: Float32Array, t: Tables, bins: number): Float32Array {
    const bands = t.start.length
    const frames = mel.length / bands
    const { start_updates: updates, max_gain: most } = this.numbers
    const result = new Float32Array(frames * bins)
    this.call(
      'magnitude_from_mel',
      [
        ...[mel, big(frames), big(bands), t.start, t.stop, t.bank, t.spread, big(t.width)],
        ...[big(bins), big(updates), most, new Float32Array(LANES * (2 * bins + bands)), result],
      ],
      [result],
    )
    return result
  }

  /** One step of Griffin-Lim: frames of `samples`, set to their mel values, added to `total`. */
  consistencyStep(
    samples: Float32Array,
    mel: Float32Array,
    t: Tables,
    synthesis: Float32Array,
    total: Float32Array,
  ): void {
    const { hop, win, n_fft: nFft, max_gain: most } = this.numbers
    const bands = t.start.length
    const frames = mel.length / bands
    const hops = frames + Math.ceil(win / hop) - 1
    const half = nFft / 2
    const work = 2 * hop * (hops + LANES) + LANES * (6 * (half + 1) + bands)
    this.call(
      'consistency_step',
      [
        ...[samples, big(samples.length), big(frames), big(hop), t.window, synthesis, big(win)],
        ...[mel, t.start, t.stop, t.bank, t.spread, big(bands), big(t.width), big(nFft)],
        ...[t.radices, big(t.radices.length), t.passTurns, t.realTurns, most],
        ...[new Float32Array(work), total],
      ],
      [total],
    )
  }

  /** Mel amplitude (M, N) of the windowed frames of a waveform, `hop` apart. */
  melColumns(samples: Float32Array, frames: number, hop: number, t: Tables): Float32Array {
    const bands = t.start.length
    const win = t.window.length
    const nFft = 2 * Number(t.radices.reduce((product, radix) => product * radix, 1n))
    const stride = Math.ceil(frames / LANES) * LANES
    const width = frames + Math.ceil(win / hop) - 1 + LANES
    const mel = new Float32Array(bands * stride)
    this.call(
      'mel_columns',
      [
        ...[samples, big(samples.length), big(frames), big(hop), t.window, big(win), t.start],
        ...[t.stop, t.bank, big(bands), big(t.width), big(nFft), t.radices],
        ...[big(t.radices.length), t.passTurns, t.realTurns, big(stride)],
        ...[new Float32Array(hop * width + 5 * LANES * (nFft / 2 + 1)), mel],
      ],
      [mel],
    )
    const result = new Float32Array(bands * frames)
    for (let band = 0; band < bands; band++) {
      result.set(mel.subarray(band * stride, band * stride + frames), band * frames)
    }
    return result
  }

  /** Spread the phase of the loudest bins over their neighbours; `phase` is changed. */
  spreadPhase(
    phase: Float32Array,
    columnStep: Float32Array,
    binStep: Float32Array,
    classes: Int16Array,
    order: Int32Array,
    done: Uint8Array,
    bins: number,
    hasEarlier: boolean,
  ): void {
    const newest = new Int32Array(this.numbers.n_classes).fill(-1)
    this.call(
      'spread_phase',
      [
        ...[phase, columnStep, binStep, classes, order, big(order.length), done, newest],
        ...[new Int32Array(phase.length), big(bins), big(phase.length), big(Number(hasEarlier))],
      ],
      [phase],
    )
  }

  /** Uniform numbers of a generator, whose state moves on. */
  uniform(state: BigUint64Array, count: number): Float32Array {
    const result = new Float32Array(count)
    this.call('uniform', [state, result, big(count)], [state, result])
    return result
  }

  private call(name: string, given: Argument[], results: Argument[]): void {
    let end = this.base
    const places = given.map((value) => {
      if (typeof value === 'number' || typeof value === 'bigint') return value
      const place = end
      end = aligned(end + value.byteLength)
      return place
    })
    const missing = end - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    const bytes = new Uint8Array(this.memory.buffer)
    given.forEach((value, i) => {
      if (typeof value === 'object') bytes.set(bytesOf(value), places[i] as number)
    })
    this.functions[name]!(...places)
    for (const value of results) {
      if (typeof value !== 'object') continue
      const place = places[given.indexOf(value)] as number
      bytesOf(value).set(bytes.subarray(place, place + value.byteLength))
    }
  }
}

const big = (value: number): bigint => BigInt(value)
const aligned = (place: number): number => Math.ceil(place / ALIGNMENT) * ALIGNMENT
const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
