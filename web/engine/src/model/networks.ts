/** The networks on onnxruntime. */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web/wasm'
import * as ort from 'onnxruntime-web/wasm'
import { readTensors, unpack, type Tensor } from '../files/safetensors'
import { Grid } from '../pipeline/grid'
import type { About } from './about'
import { CHORD_WIDTH } from './chords'
import type { Embedding } from './conditioning'
import { USUAL_BPM } from './music'

export type Part = 'text' | 'denoiser' | 'decoder' | 'encoder'

/** Gives the bytes of a file of the model, whole and checked. */
export type LoadFile = (name: string) => Promise<ArrayBuffer>

/** Where onnxruntime's own files are, and on how many threads it computes. */
export interface Runtime {
  mjs?: string
  wasm?: string
  /** The bytes of `wasm`, where they are there. */
  code?: ArrayBuffer | undefined
  threads: number
}

/** Set onnxruntime up; before the first network is loaded. */
export function prepare({ mjs, wasm, code, threads }: Runtime): void {
  ort.env.wasm.numThreads = threads
  ort.env.logLevel = 'error'
  if (mjs && wasm) ort.env.wasm.wasmPaths = { mjs, wasm }
  if (code) ort.env.wasm.wasmBinary = code
}

/** Rows of a batch of the denoiser, put together once and used at every step. */
export type Batch = Record<string, OrtTensor>

// The latent of a width of 0.
const NO_WIDTH = -2

/** Text encoder, denoiser, decoder and encoder, each loaded when it is first needed. */
export class Networks {
  private readonly sessions = new Map<Part, Promise<InferenceSession>>()

  constructor(
    readonly about: About,
    private readonly load: LoadFile,
  ) {}

  /** Load a part before it is needed; `tensors` are its packed weights, where they are there. */
  async ready(part: Part, tensors?: Map<string, Tensor>): Promise<void> {
    await this.session(part, tensors)
  }

  /** States (L, width) of embedded tokens. */
  async text(embedded: Float32Array, tokens: number): Promise<Float32Array> {
    const width = embedded.length / tokens
    const present = new Uint8Array(tokens).fill(1)
    return this.run('text', {
      embedded: new ort.Tensor('float32', embedded, [1, tokens, width]),
      present: new ort.Tensor('bool', present, [1, tokens]),
    })
  }

  /**
   * Rows as one batch of windows, texts filled up to the longest.
   *
   * `since` are the seconds since a bar began when each window begins, null where unknown;
   * `columns` are those of the windows.
   */
  batch(rows: Embedding[], since: (number | null)[], columns: number): Batch {
    const n = rows.length
    const tokens = Math.max(...rows.map((row) => row.present.length))
    const width = rows[0]!.text.length / rows[0]!.present.length
    const text = new Float32Array(n * tokens * width)
    const present = new Uint8Array(n * tokens)
    rows.forEach((row, i) => {
      text.set(row.text, i * tokens * width)
      present.set(row.present, i * tokens)
    })
    const floats = (values: number[]) => new ort.Tensor('float32', Float32Array.from(values), [n])
    const whole = (values: number[]) =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [n])
    const told: Batch = {
      text: new ort.Tensor('float32', text, [n, tokens, width]),
      present: new ort.Tensor('bool', present, [n, tokens]),
      bpm: floats(rows.map(({ bpm }) => bpm)),
      beat: floats(rows.map(({ bpm }, i) => (since[i] === null ? NaN : (since[i]! * bpm) / 60))),
      key: whole(rows.map(({ key }) => key)),
      mode: whole(rows.map(({ mode }) => mode)),
    }
    const { conditions } = this.about
    if (conditions.includes('kind')) told.kind = whole(rows.map(({ kind }) => kind))
    if (conditions.includes('energy')) told.energy = whole(rows.map(({ energy }) => energy))
    if (conditions.includes('chords')) {
      const width = rows.some(({ chords }) => chords.length > 0) ? columns : 1
      const placed = new Float32Array(n * width * CHORD_WIDTH)
      rows.forEach((row, i) => this.placeChords(placed, i * width, row, since[i] ?? 0, width))
      told.chords = new ort.Tensor('float32', placed, [n, width, CHORD_WIDTH])
    }
    return told
  }

  /** The chord of each column of a window, from a column of `placed` on. */
  private placeChords(
    placed: Float32Array,
    first: number,
    { chords, bpm }: Embedding,
    sinceS: number,
    columns: number,
  ): void {
    for (let column = 0; chords.length > 0 && column < columns; column++) {
      const timeS = sinceS + (column + 0.5) * this.about.column_seconds
      const beat = Math.floor(timeS * ((bpm || USUAL_BPM) / 60))
      const place = ((beat % chords.length) + chords.length) % chords.length
      placed.set(chords[place]!, (first + column) * CHORD_WIDTH)
    }
  }

  /** Noise minus data of windows of equal width at a time; `known` cells are 1 in `mask`. */
  async velocity(
    noisy: Grid[],
    time: number,
    batch: Batch,
    known?: Grid[],
    mask?: Grid[],
  ): Promise<Grid[]> {
    const [first] = noisy as [Grid]
    const flat = (grids: Grid[]) => {
      const { channels, rows, width } = grids[0]!
      const data = new Float32Array(grids.length * grids[0]!.data.length)
      grids.forEach((grid, i) => data.set(grid.data, i * grid.data.length))
      return new ort.Tensor('float32', data, [grids.length, channels, rows, width])
    }
    const empty = noisy.map(() => new Grid(1, first.rows, first.width))
    const input = flat(noisy)
    const result = await this.run('denoiser', {
      ...batch,
      noisy: input,
      time: new ort.Tensor('float32', new Float32Array(noisy.length).fill(time), [noisy.length]),
      known: known && mask ? flat(known) : input,
      mask: flat(known && mask ? mask : empty),
    })
    const size = first.data.length
    return noisy.map(
      ({ channels, rows, width }, i) =>
        new Grid(channels, rows, width, result.slice(i * size, (i + 1) * size)),
    )
  }

  /** The picture (1, mels, columns) of latents: of a stereo model's, that of the middle. */
  async decode({ rows, width, data }: Grid): Promise<Grid> {
    const { channels, sides } = this.about.latents
    const dims = [1, channels - sides, rows, width]
    const middle = data.slice(0, (channels - sides) * rows * width)
    const latents = new ort.Tensor('float32', middle, dims)
    return this.picture('decoder', { latents })
  }

  /** Latents of a picture whose width is a multiple of a cell's. */
  async encode({ rows, width, data }: Grid): Promise<Grid> {
    const picture = new ort.Tensor('float32', data, [1, 1, rows, width])
    const middle = await this.picture('encoder', { picture })
    const { channels, sides } = this.about.latents
    if (sides === 0) return middle
    // In the middle, and without width: `models.small.sides`.
    const latents = new Grid(channels, middle.rows, middle.width)
    latents.data.set(middle.data)
    latents.data.fill(NO_WIDTH, (channels - 1) * middle.rows * middle.width)
    return latents
  }

  private async picture(part: Part, inputs: Batch): Promise<Grid> {
    const { data, dims } = await this.output(part, inputs)
    return new Grid(dims[1]!, dims[2]!, dims[3]!, data as Float32Array<ArrayBuffer>)
  }

  private async run(part: Part, inputs: Batch): Promise<Float32Array> {
    return (await this.output(part, inputs)).data as Float32Array
  }

  private async output(part: Part, inputs: Batch): Promise<OrtTensor> {
    const session = await this.session(part)
    const result = await session.run(inputs)
    return result[session.outputNames[0]!] as OrtTensor
  }

  private session(part: Part, tensors?: Map<string, Tensor>): Promise<InferenceSession> {
    let session = this.sessions.get(part)
    if (!session) {
      session = this.open(part, tensors)
      this.sessions.set(part, session)
      // What failed once, for want of the network perhaps, is tried again.
      session.catch(() => this.sessions.delete(part))
    }
    return session
  }

  private async open(part: Part, given?: Map<string, Tensor>): Promise<InferenceSession> {
    const graph = await this.load(`${part}.onnx`)
    const tensors = given ?? readTensors(await this.load(`${part}.safetensors`))
    const { location, places } = this.about.graphs[part]!
    const data = weightsOfGraph(places, tensors)
    return ort.InferenceSession.create(new Uint8Array(graph), {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      externalData: [{ path: location, data }],
    })
  }
}

/** The weights as the graph's file of weights holds them. */
function weightsOfGraph(
  places: Record<string, [number, number]>,
  tensors: Map<string, Tensor>,
): Uint8Array {
  const ends = Object.values(places).map(([first, bytes]) => first + bytes)
  const buffer = new ArrayBuffer(Math.max(...ends))
  for (const [name, [first, bytes]] of Object.entries(places)) {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`the weights have no ${name}`)
    const scale = tensors.get(`${name}#scale`)
    if (tensor.values instanceof Int8Array && !scale) {
      new Int8Array(buffer, first, bytes).set(tensor.values)
    } else unpack(tensor, scale, new Float32Array(buffer, first, bytes / 4))
  }
  return new Uint8Array(buffer)
}
