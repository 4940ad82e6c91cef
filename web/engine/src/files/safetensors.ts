/** Tensors of a safetensors file. */

export type Values = Float32Array | Int8Array | Int32Array | Uint16Array

export interface Tensor {
  kind: string
  shape: number[]
  values: Values
}

const KINDS: Record<string, [new (b: ArrayBuffer, at: number, n: number) => Values, number]> = {
  F32: [Float32Array, 4],
  F16: [Uint16Array, 2],
  I8: [Int8Array, 1],
  I32: [Int32Array, 4],
}

/** All tensors by name; throws where the file is damaged. float16 stays as its bits. */
export function readTensors(buffer: ArrayBuffer): Map<string, Tensor> {
  const length = Number(new DataView(buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >
  const tensors = new Map<string, Tensor>()
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [first, last],
    },
  ] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const kind = KINDS[dtype]
    if (!kind) throw new Error(`tensors of the type ${dtype} are not read`)
    const [make, size] = kind
    const start = 8 + length + first
    // An array lies on a multiple of its own width; the file's header need not.
    const lies = start % size === 0
    const place = lies ? buffer : buffer.slice(start, 8 + length + last)
    tensors.set(name, {
      kind: dtype,
      shape,
      values: new make(place, lies ? start : 0, (last - first) / size),
    })
  }
  return tensors
}

const halves = new Float32Array(1 << 16)

/** float32 of the bits of float16. */
export function fromHalf(bits: Uint16Array, result: Float32Array): void {
  if (halves[0x3c00] !== 1) {
    for (let i = 0; i < halves.length; i++) {
      const [exponent, part] = [(i >> 10) & 31, i & 1023]
      const size =
        exponent === 0
          ? part * 2 ** -24
          : exponent === 31
            ? part
              ? NaN
              : Infinity
            : (1 + part / 1024) * 2 ** (exponent - 15)
      halves[i] = i & 0x8000 ? -size : size
    }
  }
  for (let i = 0; i < bits.length; i++) result[i] = halves[bits[i]!]!
}

/** The float32 that a packed tensor stands for; `scale` is that of its first or last axis. */
export function unpack(tensor: Tensor, scale: Tensor | undefined, result: Float32Array): void {
  const { values, shape } = tensor
  if (values instanceof Uint16Array) fromHalf(values, result)
  else if (!scale) result.set(values)
  else {
    const factors = scale.values
    const last = shape.at(-1)!
    if (scale.shape.at(-1) === last && scale.shape[0] === 1) {
      for (let i = 0; i < values.length; i++) result[i] = values[i]! * factors[i % last]!
    } else {
      const inner = values.length / shape[0]!
      for (let i = 0; i < values.length; i++) result[i] = values[i]! * factors[(i / inner) | 0]!
    }
  }
}
